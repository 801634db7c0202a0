// httplib's connections on a fixed number of threads. Its own pool has no bound; this one lets the
// accepting thread wait, so that the kernel's backlog is the queue. Include in .cc files only.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace headgate::http {

class BoundedTaskQueue : public httplib::TaskQueue {
 public:
  BoundedTaskQueue(std::size_t threads, std::size_t waiting_max);
  // Waits while `waiting_max` tasks wait.
  void enqueue(std::function<void()> task) override;
  // Runs what waits, then joins.
  void shutdown() override;

 private:
  void Work();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Protected by mutex_.
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace headgate::http
