// Collects readings for a test, and waits for the one it wants. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "controller/signals/signal.h"

namespace headgate::signals {

class Inbox {
 public:
  void Put(Reading reading) {
    {
      const std::lock_guard lock(mutex_);
      readings_.push_back(std::move(reading));
    }
    changed_.notify_all();
  }

  // The first reading, from the `skip`th on, that fits; nullopt: none came within `patience`.
  std::optional<Reading> WaitFor(const std::function<bool(const Reading&)>& fits, Duration patience,
                                 std::size_t skip = 0) {
    std::unique_lock lock(mutex_);
    std::optional<Reading> found;
    changed_.wait_for(lock, patience, [&] {
      for (; skip < readings_.size(); ++skip) {
        if (!fits(readings_[skip])) continue;
        found = readings_[skip];
        return true;
      }
      return false;
    });
    return found;
  }

  std::size_t Count() const {
    const std::lock_guard lock(mutex_);
    return readings_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Reading> readings_;
};

inline std::string WhyNot(const Reading& reading) {
  const auto* none = std::get_if<NoReading>(&reading.value);
  return none == nullptr ? "" : none->why;
}

}  // namespace headgate::signals
