#include "cli/terminal.h"

namespace headgate::cli {

void Interrupt::Raise() {
  const std::lock_guard lock(mutex_);
  is_raised_ = true;
  changed_.notify_all();
}

bool Interrupt::IsRaised() const {
  const std::lock_guard lock(mutex_);
  return is_raised_;
}

bool Interrupt::WaitFor(Duration duration) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, duration, [this] { return is_raised_; });
}

}  // namespace headgate::cli
