// Follows sources of measurements (Prometheus, databases) on threads of its own and posts what they
// say. It judges nothing.
// Thread-safe. Promises: Follow and Refresh do not block, whatever the sources do; each followed
// signal posts again and again, a NoReading or an UNKNOWN finding where its source is silent; the
// sink is not called after the destructor, which takes about a second at most.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/signals/follower.h"
#include "controller/signals/signal.h"

namespace headgate::signals {

// Beyond, a signal gets one NoReading that says so, and is not followed.
inline constexpr std::size_t kSignalsMax = 64;

class Signals {
 public:
  // `sink` is called from several threads at a time, never from within Follow or Refresh with a
  // lock held; it must not block. `clock` must outlive this object, and must run.
  Signals(Sink sink, const Clock& clock);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Exactly these from now on. A spec that is unchanged goes on undisturbed; the others stop, and
  // of them only a reading that is already on its way may still arrive. Of specs with the same name
  // the last counts.
  void Follow(std::vector<SignalSpec> specs);
  // Of a database: compares the schemas now, instead of at the next regular time.
  void Refresh(const std::string& name);

 private:
  struct Followed {
    SignalSpec spec;
    std::unique_ptr<Follower> follower;
  };

  const Sink sink_;
  const Clock& clock_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::map<std::string, Followed> followed_;
  // Stopped, and not yet destroyed, because that would wait for their threads.
  std::vector<std::unique_ptr<Follower>> retired_;
};

}  // namespace headgate::signals
