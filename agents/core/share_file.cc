#include "agents/core/share_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "common/base/bucket.h"

namespace headgate::agent {
namespace {

std::optional<std::int64_t> ParseValue(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint32_t Clamped(std::int64_t value, std::int64_t max) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, max));
}

}  // namespace

std::string ShareFileText(const ShareFile& values) {
  return fmt::format(
      "# Written by headgate-agent: do not edit. `headgate-agent lower` lowers by hand.\n"
      "{} {}\n{} {}\n",
      kWidthEntry, values.width, kRetryAfterEntry, values.retry_after_s);
}

absl::StatusOr<ShareFile> ParseShareFile(const std::string& text) {
  ShareFile values;
  std::istringstream lines(text);
  std::string line;
  int number = 0;
  while (std::getline(lines, line)) {
    ++number;
    std::istringstream words(line);
    std::string key;
    std::string rest;
    if (!(words >> key) || key.front() == '#') continue;
    std::getline(words >> std::ws, rest);
    while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\r')) rest.pop_back();
    const std::optional<std::int64_t> value = ParseValue(rest);
    if (!value) {
      return absl::InvalidArgumentError(fmt::format(
          "line {}: '{}' is not an integer: HAProxy would not start with it", number, rest));
    }
    if (key == kWidthEntry) values.width = Clamped(*value, kBuckets);
    if (key == kRetryAfterEntry) values.retry_after_s = Clamped(*value, 3600);
  }
  return values;
}

Share ShareOfWidth(std::uint32_t width) {
  const std::uint64_t ppm = std::uint64_t{std::min(width, kBuckets)} * Share::kPpmMax / kBuckets;
  // At most 10^6 by construction.
  return *Share::FromPpm(ppm);
}

}  // namespace headgate::agent
