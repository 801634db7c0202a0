// An epoll loop for the test programs (shop, load generator): sockets, timers and signals.
// One thread makes it, fills it and runs it; every handler is called on that thread. A handler may
// watch, forget and cancel anything, itself included. Now() stands still within a turn.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/clock.h"

namespace headgate::support {

class EventLoop {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Micros = std::chrono::microseconds;
  // epoll's event bits.
  using IoHandler = std::function<void(std::uint32_t events)>;

  // Where a timer stands; valid until it fires.
  struct Timer {
    Instant at;
    std::uint64_t number = 0;
    friend auto operator<=>(const Timer&, const Timer&) = default;
  };

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // The descriptor stays the caller's; Forget it before it is closed.
  void Watch(int fd, std::uint32_t events, IoHandler handler);
  void Change(int fd, std::uint32_t events);
  void Forget(int fd);

  Timer After(Micros wait, std::function<void()> then);
  // A timer that has fired already is left alone.
  void Cancel(const Timer& timer);

  // Blocks the signal for the process; from then on it comes as a call.
  void OnSignal(int signal_number, std::function<void()> then);

  // Until Stop().
  void Run();
  void Stop() { stopped_ = true; }

  Instant Now() const { return now_; }
  // The wall clock, read afresh: Unix milliseconds for logs.
  std::int64_t UnixMillisNow() const { return UnixMillis(wall_.Now()); }

 private:
  struct Watched {
    std::uint32_t generation = 0;
    std::shared_ptr<IoHandler> handler;  // shared: it may forget itself while it runs
  };

  int WaitMillis() const;
  void FireTimers();
  void Dispatch(std::uint64_t tag, std::uint32_t events);

  const int epoll_;
  const SteadyClock wall_;
  Instant now_;
  bool stopped_ = false;
  std::uint64_t timers_made_ = 0;
  std::uint32_t generations_ = 0;
  std::map<Timer, std::function<void()>> timers_;
  std::vector<Watched> watched_;  // by descriptor
  std::vector<int> signal_fds_;
};

}  // namespace headgate::support
