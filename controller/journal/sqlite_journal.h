// The journal in one SQLite file (docs/JOURNAL.md): no server, one controller.
// Append and Waiting: any thread, never blocked by the disk. Open, ReadAll and BeginReign wait for
// it, each no longer than `patience` (then UNAVAILABLE), and belong to the start. See journal.h for
// what `done` promises. A full disk answers RESOURCE_EXHAUSTED and heals by itself. On a disk that
// hangs, appends wait without an answer, up to kAppendsWaitingMax, and no caller is blocked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/journal/journal.h"

namespace headgate::journal {

// Above it, Append answers RESOURCE_EXHAUSTED at once, on the caller's thread.
inline constexpr std::size_t kAppendsWaitingMax = 1'024;
// In one commit.
inline constexpr std::size_t kGroupMax = 128;
// A larger payload is INVALID_ARGUMENT, at once.
inline constexpr std::size_t kPayloadBytesMax = 1 << 20;
// How long the start waits for the disk, which also proves the file sound.
inline constexpr Duration kStartMax{15'000};
// How long the destructor waits for the disk.
inline constexpr Duration kCloseMax{2'000};

class SqliteJournal : public Journal {
 public:
  // Makes the file (0600) if there is none. FAILED_PRECONDITION: another controller uses it, it is
  // no journal, or a newer Headgate wrote it; DATA_LOSS: damaged; RESOURCE_EXHAUSTED: disk full;
  // PERMISSION_DENIED: cannot be made. Errors name the file and the remedy.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const std::string& path,
                                                             Duration patience = kStartMax);

  // Writes what waits and answers it, for at most kCloseMax. If the disk hangs longer, the writing
  // thread is left behind with the file and its lock, which end with the process; what it had not
  // answered gets no answer, and may or may not be in the file. No `done` is called afterwards.
  ~SqliteJournal() override;

  absl::StatusOr<std::vector<Entry>> ReadAll() override;
  absl::Status BeginReign(std::uint64_t epoch) override;
  void Append(std::uint64_t epoch, std::string payload, AppendDone done) override;
  // Writes what is there once more, durably: whether a reign could be begun. Waits as BeginReign.
  absl::Status ProveWritable();

  // Appends without an answer yet: a metric.
  std::size_t Waiting() const;

 private:
  struct State;
  explicit SqliteJournal(std::shared_ptr<State> state);
  static void Write(State& state);

  // Shared with the writing thread, because it may have to be left behind.
  const std::shared_ptr<State> state_;
  std::thread writer_;
};

}  // namespace headgate::journal
