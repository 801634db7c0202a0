// The journal's file (docs/JOURNAL.md): entries in a hash chain, and a head that says how many
// there are and who reigns. Blocks on the disk; one thread at a time. Include in .cc files only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/journal/file_lock.h"
#include "controller/journal/journal.h"
#include "controller/journal/sqlite.h"

namespace headgate::journal {

class SqliteStore {
 public:
  // See SqliteJournal::Open.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const std::string& path);

  absl::StatusOr<std::vector<Entry>> ReadAll();
  absl::Status BeginReign(std::uint64_t epoch);
  absl::Status ProveWritable();

  struct NewEntry {
    std::uint64_t epoch = 0;
    std::string payload;
  };
  // One durable commit of all whose epoch reigns; the others are ABORTED. One answer for each, in
  // order; if the commit fails, none is in the file and all of them have its reason.
  std::vector<absl::StatusOr<std::uint64_t>> AppendGroup(const std::vector<NewEntry>& entries);

 private:
  // The one row of the table `head`.
  struct Head {
    std::uint64_t sequence = 0;
    std::uint64_t reign = 0;
    std::string hash;
  };

  SqliteStore(FileLock lock, Database database)
      : lock_(std::move(lock)), db_(std::move(database)) {}
  absl::Status Prepare();
  // DATA_LOSS once the file at our path is no longer the one that we opened, or was cut short:
  // what is written to a file that nobody finds again is not recorded.
  absl::Status CheckIsStillThere();
  absl::StatusOr<Head> ReadHead();
  absl::Status WriteHead(const Head& head);
  absl::Status Insert(const Head& head, const NewEntry& entry);
  // Runs `write` in one transaction; nothing of it is in the file unless OK is returned.
  template <typename Write>
  absl::Status InTransaction(const Write& write);

  const FileLock lock_;
  Database db_;
  // The file and its write-ahead log, as they were first seen, and the largest that they have been:
  // while it is in use neither ever shrinks.
  struct Seen {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes_max = 0;
  };
  // What happened to the file since; empty: nothing.
  static std::string_view WhatHappened(const std::string& path, Seen& seen);
  Seen file_;
  Seen log_;
  std::unique_ptr<Statement> begin_;
  std::unique_ptr<Statement> commit_;
  std::unique_ptr<Statement> read_head_;
  std::unique_ptr<Statement> write_head_;
  std::unique_ptr<Statement> insert_;
};

}  // namespace headgate::journal
