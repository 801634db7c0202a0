// Whatever follows one signal on threads of its own, and posts its readings.
// Thread-safe. Promises: Stop returns at once, and the threads end soon after, whatever the source
// does; the destructor waits for them.
#pragma once

#include <functional>

#include "controller/signals/signal.h"

namespace headgate::signals {

using Sink = std::function<void(Reading)>;

class Follower {
 public:
  virtual ~Follower() = default;

  // A measurement is wanted earlier than it is due.
  virtual void Refresh() = 0;
  // No reading begins after this; one that is being posted may still arrive.
  virtual void Stop() = 0;
  // The threads have ended: the destructor will not wait.
  virtual bool HasEnded() const = 0;
};

}  // namespace headgate::signals
