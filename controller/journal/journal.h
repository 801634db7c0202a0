// The append-only, durable record of everything that was decided. Payloads are opaque here.
//
// Append may be called from any thread and never blocks on the disk; the journal's own thread
// writes, in the order of the calls, groups what waits into one commit, and then calls `done`.
// What `done(OK)` was told for survives kill -9 and power loss.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate::journal {

struct Entry {
  // 1, 2, 3, … without a gap.
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  std::string payload;
};

// Called on the journal's thread; a refusal that needs no disk (too large, too many waiting) comes
// at once, on the caller's. RESOURCE_EXHAUSTED: disk full, or too many wait for it; ABORTED: a
// newer reign owns the journal (this controller is deposed and must publish nothing more but
// lowerings); DATA_LOSS: the file is damaged; INVALID_ARGUMENT: too large a payload; UNAVAILABLE:
// any other failure, worth trying again. What was refused is not in the journal.
using AppendDone = std::function<void(absl::StatusOr<std::uint64_t> sequence)>;

class Journal {
 public:
  virtual ~Journal() = default;
  // Every entry, oldest first. Called once, before the first Append.
  virtual absl::StatusOr<std::vector<Entry>> ReadAll() = 0;
  // Takes the reign `epoch`, durably, which must be above every epoch in the journal
  // (FAILED_PRECONDITION otherwise). From then on no append of a lower epoch is accepted.
  virtual absl::Status BeginReign(std::uint64_t epoch) = 0;
  virtual void Append(std::uint64_t epoch, std::string payload, AppendDone done) = 0;
};

}  // namespace headgate::journal
