#include "agents/main/until.h"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <optional>

#include "common/base/duration.h"

namespace headgate::agent {
namespace {

std::optional<TimePoint> ParseRfc3339(const std::string& text) {
  std::tm utc{};
  char sign[2] = {};
  int hours = 0;
  int minutes = 0;
  int consumed = 0;
  const int fields =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon,
                  &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &consumed);
  if (fields != 6) return std::nullopt;
  const std::string zone = text.substr(static_cast<std::size_t>(consumed));
  if (zone != "Z") {
    int end = 0;
    const bool is_offset =
        std::sscanf(zone.c_str(), "%1[+-]%2d:%2d%n", sign, &hours, &minutes, &end) == 3 &&
        static_cast<std::size_t>(end) == zone.size();
    if (!is_offset) return std::nullopt;
  }
  const std::tm written = utc;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  const std::time_t seconds = timegm(&utc);
  // timegm takes the 31st of February for a day in March.
  const bool exists = utc.tm_mday == written.tm_mday && utc.tm_hour == written.tm_hour &&
                      utc.tm_min == written.tm_min && utc.tm_sec == written.tm_sec;
  if (!exists) return std::nullopt;
  const int offset_s = (hours * 60 + minutes) * 60 * (sign[0] == '-' ? -1 : 1);
  return FromUnixMillis((static_cast<std::int64_t>(seconds) - offset_s) * 1000);
}

}  // namespace

absl::StatusOr<TimePoint> ParseUntil(const std::string& text, TimePoint now) {
  std::optional<TimePoint> until = ParseRfc3339(text);
  if (!until) {
    const absl::StatusOr<Duration> duration = ParseDuration(text);
    if (!duration.ok()) {
      return absl::InvalidArgumentError(fmt::format(
          "--until '{}' is neither a duration (30m) nor a time (2024-08-14T18:30:00Z)", text));
    }
    until = now + *duration;
  }
  if (*until <= now || *until > now + kOverrideMax) {
    return absl::InvalidArgumentError(
        fmt::format("--until '{}' is {}: write a time within {} from now", text, FormatTime(*until),
                    FormatDuration(kOverrideMax)));
  }
  return *until;
}

}  // namespace headgate::agent
