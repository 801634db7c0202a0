// Time. Everything else takes it as a parameter; only clock.cc asks the system for it.
// A TimePoint counts Unix milliseconds but never goes back: SteadyClock reads the wall clock once,
// at its start, and the monotonic clock from then on, so that a stepped wall clock moves nothing.
// What people and certificates mean by a time is another matter: for those alone there is WallNow.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace headgate {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

inline std::int64_t UnixMillis(TimePoint at) { return at.time_since_epoch().count(); }
inline TimePoint FromUnixMillis(std::int64_t millis) { return TimePoint(Duration(millis)); }

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  // The wall clock as it is set now; it may go back. Never for freshness, patience or order.
  virtual TimePoint WallNow() const { return Now(); }
};

// Thread-safe.
class SteadyClock : public Clock {
 public:
  // `not_before`: the newest time that a journal knows; the clock starts there if the wall clock
  // is behind it.
  explicit SteadyClock(TimePoint not_before = TimePoint());
  TimePoint Now() const override;
  TimePoint WallNow() const override;

 private:
  const TimePoint wall_at_start_;
  const std::chrono::steady_clock::time_point steady_at_start_;
};

// A clock that stands still until it is told: for tests and rehearsals.
class ManualClock : public Clock {
 public:
  explicit ManualClock(TimePoint now) : now_(now) {}
  TimePoint Now() const override { return now_; }
  TimePoint WallNow() const override { return now_ + wall_ahead_; }
  void Advance(Duration by) { now_ += by; }
  void StepWall(Duration by) { wall_ahead_ += by; }

 private:
  TimePoint now_;
  Duration wall_ahead_{0};
};

// "2024-08-14 18:00:07 UTC".
std::string FormatTime(TimePoint at);
// "18:00:07".
std::string FormatTimeOfDay(TimePoint at);

}  // namespace headgate
