#include "common/base/duration.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace headgate {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
// Longest names first, so that "ms" is not read as "m".
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}}};
constexpr std::int64_t kMillisMax = 366LL * 86'400'000;

absl::Status Refuse(std::string_view text) {
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is not a duration: write a number and a unit, such as 500ms, 30s, 2m, 1h30m", text));
}

}  // namespace

absl::StatusOr<Duration> ParseDuration(std::string_view text) {
  if (text.empty()) return Refuse(text);
  std::int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    std::size_t digits = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') {
      number = number * 10 + (rest[digits] - '0');
      if (number > kMillisMax) return Refuse(text);
      ++digits;
    }
    if (digits == 0) return Refuse(text);
    rest.remove_prefix(digits);
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (rest.substr(0, unit.name.size()) == unit.name) {
        found = &unit;
        break;
      }
    }
    if (found == nullptr || number > kMillisMax / found->millis) return Refuse(text);
    total += number * found->millis;
    if (total > kMillisMax) return Refuse(text);
    rest.remove_prefix(found->name.size());
  }
  return Duration(total);
}

std::string FormatDuration(Duration duration) {
  std::int64_t millis = duration.count();
  if (millis == 0) return "0s";
  std::string text;
  if (millis < 0) {
    text = "-";
    millis = -millis;
  }
  for (const Unit& unit :
       {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}}) {
    if (millis >= unit.millis) {
      text += fmt::format("{}{}", millis / unit.millis, unit.name);
      millis %= unit.millis;
    }
  }
  return text;
}

}  // namespace headgate
