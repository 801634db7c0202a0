#include "agents/core/runner.h"

#include <utility>

namespace headgate::agent {

Runner::Runner(Options options, Keeper::Parts parts, Outbox& outbox, const Clock& clock)
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

void Runner::Run() {
  keeper_ = std::make_unique<Keeper>(options_.gate, options_.rails, parts_, clock_.Now());
  keeper_->Tick(clock_.Now());
  Tell();
  TimePoint next_tick = clock_.Now() + options_.tick;
  TimePoint watchful_until;
  std::uint64_t applied = keeper_->applied();
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const Duration wait = next_tick - clock_.Now();
    if (!offer_ && wait.count() > 0) wake_.wait_for(lock, wait);
    if (stopped_) return;
    const std::optional<Offer> offer = std::exchange(offer_, std::nullopt);
    lock.unlock();
    if (offer) keeper_->Take(*offer, clock_.Now());
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
