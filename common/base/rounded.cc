#include "common/base/rounded.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "common/base/duration.h"

namespace headgate {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUnit(char c) { return c == 'h' || c == 'm' || c == 's'; }
// What makes a word of the figures beside it: a name, a query, a version.
bool IsOfWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.' || c == '/' || c == '=' || c == '[' || c == '\'' || c == '`';
}

std::string Pair(std::int64_t large, const char* large_unit, std::int64_t small,
                 const char* small_unit) {
  const std::string text = fmt::format("{} {}", large, large_unit);
  return small == 0 ? text : fmt::format("{} {} {}", text, small, small_unit);
}

}  // namespace

std::string FormatRounded(Duration duration) {
  const std::int64_t millis = std::max<std::int64_t>(duration.count(), 0);
  if (millis == 0) return "0 s";
  if (millis < kSecond) return fmt::format("{} ms", millis);
  if (millis < 2 * kSecond) {
    const std::int64_t tenths = millis % kSecond / 100;
    return tenths == 0 ? fmt::format("{} s", millis / kSecond)
                       : fmt::format("{}.{} s", millis / kSecond, tenths);
  }
  // Down, as clocks do: what is "for 4 s of 4 s" has lasted 4 s.
  if (millis < kMinute) return fmt::format("{} s", millis / kSecond);
  if (millis < kHour) return Pair(millis / kMinute, "min", millis % kMinute / kSecond, "s");
  return Pair(millis / kHour, "h", millis % kHour / kMinute, "min");
}

std::string RoundDurations(std::string_view text) {
  std::string rounded;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && (IsDigit(text[end]) || (end > at && IsUnit(text[end])))) ++end;
    const bool is_word = (at > 0 && IsOfWord(text[at - 1])) ||
                         (end < text.size() && IsOfWord(text[end]) && text[end] != '.');
    if (end == at || is_word || IsDigit(text[end - 1])) {
      rounded += text.substr(at, std::max<std::size_t>(end - at, 1));
      at = std::max(end, at + 1);
      continue;
    }
    const absl::StatusOr<Duration> duration = ParseDuration(text.substr(at, end - at));
    rounded += duration.ok() ? FormatRounded(*duration) : std::string(text.substr(at, end - at));
    at = end;
  }
  return rounded;
}

}  // namespace headgate
