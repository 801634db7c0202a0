#include "common/base/share.h"

#include <fmt/format.h>

#include <optional>
#include <string>

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

// "5", "0.25": digits, and up to four decimals.
std::optional<std::uint64_t> PpmOf(std::string_view number) {
  std::uint64_t ppm = 0;
  std::size_t at = 0;
  for (; at < number.size() && IsDigit(number[at]); ++at) {
    ppm = ppm * 10 + static_cast<std::uint64_t>(number[at] - '0');
    if (ppm > 1'000'000'000) return std::nullopt;
  }
  if (at == 0) return std::nullopt;
  ppm *= kPpmPerPercent;
  if (at == number.size()) return ppm;
  const std::string_view decimals = number.substr(at + 1);
  if (number[at] != '.' || decimals.empty() || decimals.size() > 4) return std::nullopt;
  std::uint64_t place = kPpmPerPercent / 10;
  for (const char c : decimals) {
    if (!IsDigit(c)) return std::nullopt;
    ppm += static_cast<std::uint64_t>(c - '0') * place;
    place /= 10;
  }
  return ppm;
}

// What to write instead of "0.01", "5" and "0,5%"; empty where that is not what is wrong.
std::string WrongUnit(std::string_view text) {
  if (const std::size_t comma = text.find(','); comma != std::string_view::npos) {
    std::string pointed(text);
    pointed[comma] = '.';
    const bool has_sign = pointed.back() == '%';
    const std::string_view number(pointed.data(), pointed.size() - (has_sign ? 1 : 0));
    if (!PpmOf(TrimSpaces(number))) return "";
    return fmt::format("has a comma: write a point, {}{}", pointed, has_sign ? "" : "%");
  }
  const std::optional<std::uint64_t> percent = PpmOf(text);
  if (!percent) return "";
  if (*percent == 0 || *percent >= kPpmPerPercent) {
    return fmt::format("has no unit: a share is written with a percent sign, as in {}%", text);
  }
  // Who thinks in parts of 1 would get a hundredth of what is meant.
  std::string of_one = FormatPpm(*percent * 100);
  of_one.erase(of_one.find(' '), 1);
  return fmt::format("has no unit: write {} if it is a part of 1, {}% if it is a percentage",
                     of_one, text);
}

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
  std::string_view rest = TrimSpaces(text);
  if (const std::string wrong = WrongUnit(rest); !wrong.empty()) {
    return absl::InvalidArgumentError(fmt::format("'{}' {}", text, wrong));
  }
  if (!rest.empty() && rest.back() == '%') rest.remove_suffix(1);
  const std::optional<std::uint64_t> ppm = PpmOf(TrimSpaces(rest));
  if (!ppm) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a percentage of 0 % to {} with at most four decimals: write for "
                    "example 5% or 0.25%",
                    text, FormatPpm(ppm_max)));
  }
  if (*ppm > ppm_max) {
    return absl::InvalidArgumentError(
        fmt::format("{} is above {}", FormatPpm(*ppm), FormatPpm(ppm_max)));
  }
  return static_cast<std::uint32_t>(*ppm);
}

}  // namespace headgate
