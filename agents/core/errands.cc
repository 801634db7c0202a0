#include "agents/core/errands.h"

#include <utility>

namespace headgate::agent {

ErrandThread::ErrandThread() : thread_([this] { Work(); }) {}

ErrandThread::~ErrandThread() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ErrandThread::Run(Errand errand) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(errand));
  }
  wake_.notify_one();
}

void ErrandThread::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    const Errand errand = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    errand();
    lock.lock();
  }
}

}  // namespace headgate::agent
