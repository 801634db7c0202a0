#include "common/base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace headgate {
namespace {

std::tm UtcTime(TimePoint at) {
  return fmt::gmtime(
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::seconds>(at)));
}

}  // namespace

SteadyClock::SteadyClock(TimePoint not_before)
    : wall_at_start_(std::max(
          not_before, std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()))),
      steady_at_start_(std::chrono::steady_clock::now()) {}

TimePoint SteadyClock::Now() const {
  const auto elapsed = std::chrono::steady_clock::now() - steady_at_start_;
  return wall_at_start_ + std::chrono::duration_cast<Duration>(elapsed);
}

TimePoint SteadyClock::WallNow() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string FormatTime(TimePoint at) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", UtcTime(at));
}

std::string FormatTimeOfDay(TimePoint at) { return fmt::format("{:%H:%M:%S}", UtcTime(at)); }

}  // namespace headgate
