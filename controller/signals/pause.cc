#include "controller/signals/pause.h"

namespace headgate::signals {

bool Pause::Until(TimePoint at, const Clock& clock) {
  std::unique_lock lock(mutex_);
  while (!is_stopped_ && !is_nudged_) {
    const Duration left = at - clock.Now();
    if (left <= Duration(0)) break;
    changed_.wait_for(lock, left);
  }
  is_nudged_ = false;
  return !is_stopped_;
}

bool Pause::Gap(TimePoint at, const Clock& clock) {
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    const Duration left = at - clock.Now();
    if (left <= Duration(0)) break;
    changed_.wait_for(lock, left);
  }
  return !is_stopped_;
}

void Pause::Nudge() {
  {
    const std::lock_guard lock(mutex_);
    is_nudged_ = true;
  }
  changed_.notify_all();
}

void Pause::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
}

bool Pause::IsStopped() const {
  const std::lock_guard lock(mutex_);
  return is_stopped_;
}

}  // namespace headgate::signals
