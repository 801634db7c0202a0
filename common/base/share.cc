#include "common/base/share.h"

#include <fmt/format.h>

#include "common/base/bucket.h"

namespace headgate {
namespace {

constexpr std::uint64_t kPpmPerPercent = 10'000;

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

absl::StatusOr<Share> Share::FromPpm(std::uint64_t ppm) {
  if (ppm > kPpmMax) {
    return absl::InvalidArgumentError(
        fmt::format("a share of {} is above 100 %: write 0 % to 100 %", FormatPpm(ppm)));
  }
  return Share(static_cast<std::uint32_t>(ppm));
}

absl::StatusOr<Share> Share::Parse(std::string_view text) {
  const absl::StatusOr<std::uint32_t> ppm = ParsePpm(text, kPpmMax);
  if (!ppm.ok()) return ppm.status();
  return Share(*ppm);
}

std::uint32_t Share::Width() const {
  const std::uint64_t scaled = std::uint64_t{ppm_} * kBuckets;
  return static_cast<std::uint32_t>((scaled + kPpmMax - 1) / kPpmMax);
}

std::string Share::ToString() const { return FormatPpm(ppm_); }

std::string FormatPpm(std::uint64_t ppm) {
  const std::uint64_t whole = ppm / kPpmPerPercent;
  const std::uint64_t part = ppm % kPpmPerPercent;
  if (part == 0) return fmt::format("{} %", whole);
  std::string decimals = fmt::format("{:04}", part);
  while (decimals.back() == '0') decimals.pop_back();
  return fmt::format("{}.{} %", whole, decimals);
}

absl::StatusOr<std::uint32_t> ParsePpm(std::string_view text, std::uint32_t ppm_max) {
  const auto refuse = [&] {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a percentage: write for example 5% or 0.25%", text));
  };
  std::string_view rest = TrimSpaces(text);
  if (rest.empty() || rest.back() != '%') return refuse();
  rest.remove_suffix(1);
  rest = TrimSpaces(rest);
  std::uint64_t ppm = 0;
  std::size_t at = 0;
  while (at < rest.size() && IsDigit(rest[at])) {
    ppm = ppm * 10 + static_cast<std::uint64_t>(rest[at] - '0');
    if (ppm > 1'000'000'000) return refuse();
    ++at;
  }
  if (at == 0) return refuse();
  ppm *= kPpmPerPercent;
  if (at < rest.size()) {
    if (rest[at] != '.') return refuse();
    ++at;
    const std::string_view decimals = rest.substr(at);
    if (decimals.empty() || decimals.size() > 4) return refuse();
    std::uint64_t place = kPpmPerPercent / 10;
    for (const char c : decimals) {
      if (!IsDigit(c)) return refuse();
      ppm += static_cast<std::uint64_t>(c - '0') * place;
      place /= 10;
    }
  }
  if (ppm > ppm_max) {
    return absl::InvalidArgumentError(
        fmt::format("{} is above {}", FormatPpm(ppm), FormatPpm(ppm_max)));
  }
  return static_cast<std::uint32_t>(ppm);
}

}  // namespace headgate
