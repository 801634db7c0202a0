// One event loop, owned by the one thread that runs it. Whatever lives on the loop needs no lock.
// Post, Stop and Waiting may be called from any thread, and Post is the only door between threads;
// everything else belongs to the loop's thread (before the first turn: to whoever builds it).
// Promises: what was posted runs in the order of the calls, and time stands still within a turn.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/clock.h"

namespace headgate {

class Loop {
 public:
  using Function = absl::AnyInvocable<void()>;
  // Never 0, never used twice: cancelling a timer that has fired does nothing.
  using TimerId = std::uint64_t;

  // `clock` must outlive the loop.
  explicit Loop(const Clock& clock) : clock_(clock) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Thread-safe, never blocks. Runs in a later turn, never within the call. What is still waiting
  // when the loop is destroyed is destroyed without having run.
  void Post(Function function);
  // Thread-safe. How many posted functions wait for their turn: a metric.
  std::size_t Waiting() const;
  // Thread-safe. Run returns after its present turn, and at once if it is called later.
  void Stop();

  // The time of this turn; between turns, the clock's.
  TimePoint Now() const { return in_turn_ ? now_ : clock_.Now(); }
  // Runs `function` in the first turn at or after `at`. Timers fire in the order of their times,
  // those of one time in the order of the calls.
  TimerId At(TimePoint at, Function function);
  TimerId After(Duration delay, Function function) {
    return At(Now() + delay, std::move(function));
  }
  void Cancel(TimerId id);

  // Turns until Stop.
  void Run();
  // One turn without waiting, for those who drive time themselves: what was posted before it, then
  // the timers that are due. False if there was nothing to do.
  bool Turn();

 private:
  // The id breaks ties, so that the order is that of the calls.
  using TimerKey = std::pair<TimePoint, TimerId>;

  void ClaimThread();
  void CheckThread() const;
  void WaitForWork();

  const Clock& clock_;

  // Of the loop's thread.
  bool in_turn_ = false;
  TimePoint now_;
  TimerId last_timer_ = 0;
  std::map<TimerKey, Function> timers_;
  std::map<TimerId, TimePoint> timer_times_;

  std::atomic<std::thread::id> owner_{std::thread::id()};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Protected by mutex_.
  std::vector<Function> posted_;
  bool stopped_ = false;
};

}  // namespace headgate
