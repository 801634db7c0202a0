// Slow things (a disk that syncs, a probe that waits) done elsewhere, one after the other, so that
// a lowering never stands behind them. Run may be called from any thread and does not wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace headgate::agent {

class Errands {
 public:
  using Errand = std::function<void()>;

  virtual ~Errands() = default;
  virtual void Run(Errand errand) = 0;
};

// On a thread of its own. Destroying it waits for the errand under way and forgets the others.
class ErrandThread : public Errands {
 public:
  ErrandThread();
  ~ErrandThread() override;
  ErrandThread(const ErrandThread&) = delete;
  ErrandThread& operator=(const ErrandThread&) = delete;

  void Run(Errand errand) override;

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable wake_;
  // Protected by mutex_.
  std::deque<Errand> waiting_;
  bool stopped_ = false;

  std::thread thread_;
};

}  // namespace headgate::agent
