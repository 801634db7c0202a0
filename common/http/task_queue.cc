#include "common/http/task_queue.h"

#include <utility>

namespace headgate::http {

BoundedTaskQueue::BoundedTaskQueue(std::size_t threads, std::size_t waiting_max)
    : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

void BoundedTaskQueue::enqueue(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || tasks_.size() < waiting_max_; });
  // Also while stopping: a task that is not run would leave its socket open.
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

void BoundedTaskQueue::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void BoundedTaskQueue::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    changed_.notify_all();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace headgate::http
