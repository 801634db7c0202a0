// A journal in memory that behaves like one on a disk, for tests, simulations and rehearsals: its
// disk outlives it, fails, hangs, and forgets what was not synced.
// Thread-safe. Answers come on the thread that calls Append or Heal, within that call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/journal/journal.h"

namespace headgate::journal {

// What would survive a power failure. Several journals on one disk are several controllers: the one
// that began the newest reign deposes the others.
struct MemoryDisk {
  std::mutex mutex;
  // Protected by mutex.
  std::vector<Entry> entries;
  std::uint64_t reign = 0;
};

class MemoryJournal : public Journal {
 public:
  // `disk` must outlive the journal.
  explicit MemoryJournal(MemoryDisk& disk) : disk_(disk) {}

  absl::StatusOr<std::vector<Entry>> ReadAll() override;
  absl::Status BeginReign(std::uint64_t epoch) override;
  void Append(std::uint64_t epoch, std::string payload, AppendDone done) override;

  // From now on everything is answered with `reason`, e.g. RESOURCE_EXHAUSTED for a full disk.
  void Fail(absl::Status reason);
  // From now on appends wait without an answer; ReadAll and BeginReign are UNAVAILABLE.
  void Hang();
  // Works again; what waited is written and answered, in order.
  void Heal();
  // The power fails: of what waits, the first `reached_disk` entries are on the disk, the rest is
  // forgotten, and nobody is answered. The journal is as a new one afterwards.
  void LosePower(std::size_t reached_disk);
  std::size_t Waiting() const;

 private:
  struct Waiter {
    std::uint64_t epoch = 0;
    std::string payload;
    AppendDone done;
  };
  absl::StatusOr<std::uint64_t> Write(const Waiter& waiter);
  absl::Status Obstacle() const;

  MemoryDisk& disk_;
  mutable std::mutex mutex_;
  // Protected by mutex_.
  absl::Status failure_;
  bool hangs_ = false;
  std::deque<Waiter> waiters_;
};

}  // namespace headgate::journal
