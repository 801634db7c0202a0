// Runs the keeper of one gate on a thread of its own, so that one load balancer that hangs delays
// no other. Post may be called from any thread and never blocks on the load balancer or the disk.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agents/core/errands.h"
#include "agents/core/keeper.h"
#include "agents/core/outbox.h"
#include "common/base/clock.h"

namespace headgate::agent {

class Runner {
 public:
  // After a change the load balancer is looked at more often for a while: a reload that began just
  // before it may have read the share before.
  static constexpr Duration kWatchfulEvery{50};
  static constexpr Duration kWatchfulFor{2000};

  struct Options {
    std::string gate;
    Rails rails;
    Duration tick{250};
    std::string time_zone = kTimeZoneDefault;
  };

  struct Parts {
    Enforcer& enforcer;
    Store& store;
    Log& log;
  };

  Runner(Options options, Parts parts, Outbox& outbox, const Clock& clock);
  // Leaves the load balancer as it is.
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // The newest offer wins: one that was not taken yet is forgotten.
  void Post(Offer offer);

 private:
  void Run();
  void Report(Keeper::Done done);
  void Tell();

  const Options options_;
  Parts parts_;
  Outbox& outbox_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  // Protected by mutex_.
  std::optional<Offer> offer_;
  std::vector<Keeper::Done> done_;
  bool stopped_ = false;

  // Of the runner's thread.
  std::unique_ptr<Keeper> keeper_;

  std::thread thread_;

  // Last, so that they end first: they report to what stands above.
  ErrandThread saving_;
  ErrandThread syncing_;
  ErrandThread probing_;
};

}  // namespace headgate::agent
