#include "common/loop/loop.h"

#include <algorithm>

#include "common/base/check.h"

namespace headgate {
namespace {

// An injected clock may run slower than the condition variable's; look again after this long.
constexpr Duration kWaitMax{1'000};

}  // namespace

void Loop::Post(Function function) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(function));
  // Notified under the lock: the loop may be destroyed as soon as it is released.
  wake_.notify_one();
}

std::size_t Loop::Waiting() const {
  const std::lock_guard lock(mutex_);
  return posted_.size();
}

void Loop::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  wake_.notify_one();
}

Loop::TimerId Loop::At(TimePoint at, Function function) {
  CheckThread();
  const TimerId id = ++last_timer_;
  timers_.emplace(TimerKey(at, id), std::move(function));
  timer_times_.emplace(id, at);
  return id;
}

void Loop::Cancel(TimerId id) {
  CheckThread();
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return;
  timers_.erase(TimerKey(found->second, id));
  timer_times_.erase(found);
}

void Loop::Run() {
  ClaimThread();
  while (true) {
    WaitForWork();
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
    }
    Turn();
  }
}

bool Loop::Turn() {
  ClaimThread();
  HEADGATE_CHECK(!in_turn_);
  std::vector<Function> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  now_ = clock_.Now();
  in_turn_ = true;
  bool worked = !posted.empty();
  // Posts before timers: news that has arrived is taken in before a deadline concludes that there
  // is none.
  for (Function& function : posted) {
    function();
    // What it captured dies now, not when the turn is over.
    function = nullptr;
  }
  // A timer set within this turn waits for the next one, else a timer for "now" could starve posts.
  const TimerId newest = last_timer_;
  for (auto timer = timers_.begin(); timer != timers_.end() && timer->first.first <= now_;) {
    if (timer->first.second > newest) {
      ++timer;
      continue;
    }
    Function function = std::move(timer->second);
    timer_times_.erase(timer->first.second);
    timers_.erase(timer);
    worked = true;
    function();
    // The function may have set and cancelled timers: begin again.
    timer = timers_.begin();
  }
  in_turn_ = false;
  return worked;
}

void Loop::ClaimThread() {
  std::thread::id nobody;
  const auto self = std::this_thread::get_id();
  if (!owner_.compare_exchange_strong(nobody, self)) HEADGATE_CHECK(nobody == self);
}

void Loop::CheckThread() const {
  const auto owner = owner_.load();
  HEADGATE_CHECK(owner == std::thread::id() || owner == std::this_thread::get_id());
}

void Loop::WaitForWork() {
  std::unique_lock lock(mutex_);
  if (stopped_ || !posted_.empty()) return;
  Duration wait = kWaitMax;
  if (!timers_.empty()) wait = std::min(wait, timers_.begin()->first.first - clock_.Now());
  if (wait <= Duration(0)) return;
  wake_.wait_for(lock, wait, [this] { return stopped_ || !posted_.empty(); });
}

}  // namespace headgate
