#include "controller/journal/memory_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headgate::journal {

absl::StatusOr<std::vector<Entry>> MemoryJournal::ReadAll() {
  if (auto obstacle = Obstacle(); !obstacle.ok()) return obstacle;
  const std::lock_guard lock(disk_.mutex);
  return disk_.entries;
}

absl::Status MemoryJournal::BeginReign(std::uint64_t epoch) {
  if (auto obstacle = Obstacle(); !obstacle.ok()) return obstacle;
  const std::lock_guard lock(disk_.mutex);
  if (epoch <= disk_.reign) {
    return absl::FailedPreconditionError(
        fmt::format("epoch {} is refused, because epoch {} has reigned; take one above it", epoch,
                    disk_.reign));
  }
  disk_.reign = epoch;
  return absl::OkStatus();
}

void MemoryJournal::Append(std::uint64_t epoch, std::string payload, AppendDone done) {
  Waiter waiter{epoch, std::move(payload), std::move(done)};
  {
    const std::lock_guard lock(mutex_);
    if (hangs_) {
      waiters_.push_back(std::move(waiter));
      return;
    }
  }
  const auto obstacle = Obstacle();
  waiter.done(obstacle.ok() ? Write(waiter) : obstacle);
}

void MemoryJournal::Fail(absl::Status reason) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(reason);
}

void MemoryJournal::Hang() {
  const std::lock_guard lock(mutex_);
  hangs_ = true;
}

void MemoryJournal::Heal() {
  std::deque<Waiter> waited;
  {
    const std::lock_guard lock(mutex_);
    failure_ = absl::OkStatus();
    hangs_ = false;
    waited.swap(waiters_);
  }
  // Answered without the lock: an answer may append.
  for (const Waiter& waiter : waited) waiter.done(Write(waiter));
}

void MemoryJournal::LosePower(std::size_t reached_disk) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < std::min(reached_disk, waiters_.size()); ++i) {
    // Nobody is told, also not of a failure.
    Write(waiters_[i]).status().IgnoreError();
  }
  waiters_.clear();
  failure_ = absl::OkStatus();
  hangs_ = false;
}

std::size_t MemoryJournal::Waiting() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

absl::StatusOr<std::uint64_t> MemoryJournal::Write(const Waiter& waiter) {
  const std::lock_guard lock(disk_.mutex);
  if (waiter.epoch != disk_.reign) {
    return absl::AbortedError(
        fmt::format("epoch {} was deposed, epoch {} reigns", waiter.epoch, disk_.reign));
  }
  disk_.entries.push_back({disk_.entries.size() + 1, waiter.epoch, waiter.payload});
  return disk_.entries.size();
}

absl::Status MemoryJournal::Obstacle() const {
  const std::lock_guard lock(mutex_);
  if (hangs_) return absl::UnavailableError("the disk hangs");
  return failure_;
}

}  // namespace headgate::journal
