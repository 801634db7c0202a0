#include "agents/core/runner.h"

#include <pthread.h>

#include <utility>

namespace headgate::agent {

Runner::Runner(Options options, Parts parts, Outbox& outbox, const Clock& clock)
    : options_(std::move(options)), parts_(parts), outbox_(outbox), clock_(clock) {
  thread_ = std::thread([this] { Run(); });
}

Runner::~Runner() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Runner::Post(Offer offer) {
  {
    const std::lock_guard lock(mutex_);
    offer_ = std::move(offer);
  }
  wake_.notify_one();
}

void Runner::Report(Keeper::Done done) {
  {
    const std::lock_guard lock(mutex_);
    done_.push_back(std::move(done));
  }
  wake_.notify_one();
}

void Runner::Run() {
  pthread_setname_np(pthread_self(), "gate");
  keeper_ = std::make_unique<Keeper>(
      options_.gate, options_.rails,
      Keeper::Parts{parts_.enforcer, parts_.store, parts_.log, saving_, syncing_, probing_,
                    [this](Keeper::Done done) { Report(std::move(done)); }, options_.time_zone},
      clock_.Now());
  keeper_->OnWallClock(clock_.WallNow(), clock_.Now());
  keeper_->Tick(clock_.Now());
  Tell();
  TimePoint next_tick = clock_.Now() + options_.tick;
  TimePoint watchful_until;
  std::uint64_t applied = keeper_->applied();
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const Duration wait = next_tick - clock_.Now();
    if (!offer_ && done_.empty() && wait.count() > 0) wake_.wait_for(lock, wait);
    if (stopped_) return;
    const std::optional<Offer> offer = std::exchange(offer_, std::nullopt);
    const std::vector<Keeper::Done> done = std::exchange(done_, {});
    lock.unlock();
    keeper_->OnWallClock(clock_.WallNow(), clock_.Now());
    for (const Keeper::Done& one : done) keeper_->OnDone(one, clock_.Now());
    if (offer) keeper_->Take(*offer, clock_.Now());
    if (!done.empty()) keeper_->Mend(clock_.Now());
    if (clock_.Now() >= next_tick) {
      keeper_->Tick(clock_.Now());
      const bool watchful = clock_.Now() < watchful_until;
      next_tick =
          clock_.Now() + (watchful ? std::min(kWatchfulEvery, options_.tick) : options_.tick);
    }
    if (keeper_->applied() != applied) {
      applied = keeper_->applied();
      watchful_until = clock_.Now() + kWatchfulFor;
      next_tick = std::min(next_tick, clock_.Now() + kWatchfulEvery);
    }
    Tell();
    lock.lock();
  }
}

void Runner::Tell() {
  GateWord word;
  word.at = clock_.Now();
  word.standing = keeper_->Describe(word.at);
  word.description = parts_.enforcer.Describe();
  word.counters = keeper_->counters();
  word.applied = keeper_->applied();
  word.failed = keeper_->failed();
  word.is_reachable = keeper_->is_reachable();
  outbox_.Put(std::move(word));
}

}  // namespace headgate::agent
