#include "controller/journal/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string_view>
#include <utility>

namespace headgate::journal {
namespace {

// "HGJ1" in ASCII.
constexpr std::string_view kApplicationId = "1212631601";
constexpr int kSchemaVersion = 1;
constexpr off_t kPageBytesMin = 512;
constexpr std::size_t kHashBytes = SHA256_DIGEST_LENGTH;

constexpr char kCreate[] = R"(
PRAGMA application_id = 1212631601;
BEGIN;
CREATE TABLE entries (sequence INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,
                      payload BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL,
                   reign INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, 0, zeroblob(32));
PRAGMA user_version = 1;
COMMIT;
)";

// The checkpoint keeps the log short; a person who reads beside us makes us wait, not fail.
constexpr char kConfigure[] = R"(
PRAGMA busy_timeout = 2000;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 256;
PRAGMA trusted_schema = OFF;
)";

absl::Status CannotCreate(const std::string& path) {
  const std::string reason = fmt::format("{}: cannot be made ({})", path, std::strerror(errno));
  if (errno == ENOSPC || errno == EDQUOT) {
    return absl::ResourceExhaustedError(fmt::format("{}; free space on that disk", reason));
  }
  return absl::PermissionDeniedError(
      fmt::format("{}; make its folder, and let the user of this program write to it", reason));
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return synced ? absl::OkStatus() : CannotCreate(folder);
}

// Made beside and renamed when whole, so that an empty file is always a damaged one.
absl::Status Create(const std::string& path) {
  const std::string beside = path + ".creating";
  unlink(beside.c_str());
  unlink((beside + "-journal").c_str());
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return CannotCreate(path);
  close(fd);
  {
    auto database = Database::Open(beside, SQLITE_OPEN_READWRITE);
    if (!database.ok()) return database.status();
    if (auto created = database->Execute(kCreate); !created.ok()) return created;
  }
  if (rename(beside.c_str(), path.c_str()) != 0) return CannotCreate(path);
  return SyncFolderOf(path);
}

absl::Status CheckIsOurs(Database& database) {
  const auto application = database.QueryText("PRAGMA application_id");
  if (!application.ok()) return application.status();
  if (*application != kApplicationId) {
    return absl::FailedPreconditionError(
        fmt::format("{}: is a database, but no journal of Headgate; give the path of another file",
                    database.path()));
  }
  const auto version = database.QueryText("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*version != std::to_string(kSchemaVersion)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: has schema version {}, and this program knows {}; use the version of "
                    "Headgate that wrote it, or a newer one",
                    database.path(), *version, kSchemaVersion));
  }
  const auto integrity = database.QueryText("PRAGMA integrity_check(1)");
  if (!integrity.ok()) return integrity.status();
  if (*integrity != "ok") {
    return absl::DataLossError(
        fmt::format("{}: is damaged ({}); keep the file, restore a backup (docs/JOURNAL.md)",
                    database.path(), *integrity));
  }
  return absl::OkStatus();
}

absl::Status Configure(Database& database) {
  if (auto configured = database.Execute(kConfigure); !configured.ok()) return configured;
  const auto mode = database.QueryText("PRAGMA journal_mode = WAL");
  if (!mode.ok()) return mode.status();
  if (*mode == "wal") return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: its filesystem has no shared memory, so SQLite keeps no write-ahead log "
                  "there; put the journal on a local disk",
                  database.path()));
}

void AppendBigEndian(std::string& bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(number >> shift)));
  }
}

std::string HashOf(std::string_view previous, std::uint64_t sequence, std::uint64_t epoch,
                   std::string_view payload) {
  std::string bytes(previous);
  AppendBigEndian(bytes, sequence);
  AppendBigEndian(bytes, epoch);
  bytes += payload;
  std::string hash(kHashBytes, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

absl::Status BrokenAt(const std::string& path, std::uint64_t sequence, std::string_view why) {
  return absl::DataLossError(
      fmt::format("{}: entry {} {}; the entries before it are sound; keep the file, restore a "
                  "backup (docs/JOURNAL.md)",
                  path, sequence, why));
}

absl::Status CheckNotCutShort(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return CannotCreate(path);
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: is no regular file; give the path of another", path));
  }
  // SQLite takes a file that is shorter than a page for a new, empty database.
  if (status.st_size >= kPageBytesMin) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("{}: has {} bytes, and a journal never has less than {}; restore a backup, or "
                  "remove the file to begin anew (docs/JOURNAL.md)",
                  path, status.st_size, kPageBytesMin));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& given_path) {
  std::error_code error;
  // The lock is by the file's true name, whatever links lead to it.
  const std::string path =
      std::filesystem::weakly_canonical(std::filesystem::absolute(given_path, error), error);
  if (given_path.empty() || error || path.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "{:?} is no path for a journal; write one like /var/lib/headgate/journal.db", given_path));
  }
  // If it cannot be made, the file in it cannot either, and says why.
  mkdir(std::filesystem::path(path).parent_path().c_str(), 0700);
  auto lock = FileLock::Take(path + ".lock");
  if (!lock.ok()) return lock.status();
  if (!std::filesystem::exists(path, error)) {
    if (auto created = Create(path); !created.ok()) return created;
  }
  if (auto checked = CheckNotCutShort(path); !checked.ok()) return checked;
  auto database = Database::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE);
  if (!database.ok()) return database.status();
  if (auto checked = CheckIsOurs(*database); !checked.ok()) return checked;
  if (auto configured = Configure(*database); !configured.ok()) return configured;
  auto store =
      std::unique_ptr<SqliteStore>(new SqliteStore(*std::move(lock), *std::move(database)));
  if (auto prepared = store->Prepare(); !prepared.ok()) return prepared;
  return store;
}

absl::Status SqliteStore::Prepare() {
  const std::array statements{
      std::pair(&begin_, "BEGIN IMMEDIATE"),
      std::pair(&commit_, "COMMIT"),
      std::pair(&read_head_, "SELECT sequence, reign, hash FROM head WHERE one = 1"),
      std::pair(&write_head_, "UPDATE head SET sequence = ?1, reign = ?2, hash = ?3 WHERE one = 1"),
      std::pair(&insert_, "INSERT INTO entries VALUES (?1, ?2, ?3, ?4)"),
  };
  for (const auto& [target, sql] : statements) {
    auto statement = db_.Prepare(sql);
    if (!statement.ok()) return statement.status();
    *target = std::make_unique<Statement>(*std::move(statement));
  }
  return CheckIsStillThere();
}

std::string_view SqliteStore::WhatHappened(const std::string& path, Seen& seen) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    // A disk that cannot be asked says so itself when it is written to.
    const bool is_gone = errno == ENOENT || errno == ENOTDIR;
    return is_gone && seen.inode != 0 ? "was removed" : "";
  }
  if (seen.inode == 0) seen = {.device = status.st_dev, .inode = status.st_ino};
  if (status.st_dev != seen.device || status.st_ino != seen.inode) {
    return "was replaced by another file";
  }
  if (status.st_size < seen.bytes_max) return "was cut short";
  seen.bytes_max = status.st_size;
  return "";
}

absl::Status SqliteStore::CheckIsStillThere() {
  std::string path = db_.path();
  std::string_view what = WhatHappened(path, file_);
  if (what.empty()) {
    path = db_.path() + "-wal";
    what = WhatHappened(path, log_);
  }
  if (what.empty() && !lock_.IsStillThere()) {
    path = db_.path() + ".lock";
    what = "was removed or replaced, so that a second controller could write the journal,";
  }
  if (what.empty()) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("{}: {} under the running controller; put the journal or a backup in its place, "
                  "then start the controller again (docs/JOURNAL.md)",
                  path, what));
}

absl::StatusOr<SqliteStore::Head> SqliteStore::ReadHead() {
  read_head_->Reset();
  if (!read_head_->Step()) {
    if (!read_head_->IsDone()) return db_.Error("read the head");
    return absl::DataLossError(fmt::format(
        "{}: has lost its head; keep the file, restore a backup (docs/JOURNAL.md)", db_.path()));
  }
  Head head{read_head_->Number(0), read_head_->Number(1), std::string(read_head_->Blob(2))};
  // An open read would keep the checkpoint from working.
  read_head_->Reset();
  return head;
}

absl::Status SqliteStore::WriteHead(const Head& head) {
  write_head_->Reset();
  write_head_->Bind(1, head.sequence);
  write_head_->Bind(2, head.reign);
  write_head_->Bind(3, head.hash);
  write_head_->Step();
  const bool done = write_head_->IsDone();
  const absl::Status status = done ? absl::OkStatus() : db_.Error("write the head");
  write_head_->Reset();
  return status;
}

absl::Status SqliteStore::Insert(const Head& head, const NewEntry& entry) {
  insert_->Reset();
  insert_->Bind(1, head.sequence);
  insert_->Bind(2, entry.epoch);
  insert_->Bind(3, entry.payload);
  insert_->Bind(4, head.hash);
  insert_->Step();
  const absl::Status status = insert_->IsDone() ? absl::OkStatus() : db_.Error("append");
  insert_->Reset();
  return status;
}

template <typename Write>
absl::Status SqliteStore::InTransaction(const Write& write) {
  begin_->Reset();
  begin_->Step();
  if (!begin_->IsDone()) return db_.Error("begin");
  absl::Status status = write();
  if (status.ok()) {
    commit_->Reset();
    commit_->Step();
    if (!commit_->IsDone()) status = db_.Error("commit");
    commit_->Reset();
  }
  // SQLite itself rolls back after some errors and not after others.
  if (!status.ok() && db_.InTransaction()) db_.Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::StatusOr<std::vector<Entry>> SqliteStore::ReadAll() {
  const auto head = ReadHead();
  if (!head.ok()) return head.status();
  auto rows = db_.Prepare("SELECT sequence, epoch, payload, hash FROM entries ORDER BY sequence");
  if (!rows.ok()) return rows.status();
  std::vector<Entry> entries;
  std::string hash(kHashBytes, '\0');
  while (rows->Step()) {
    Entry entry{rows->Number(0), rows->Number(1), std::string(rows->Blob(2))};
    const std::uint64_t expected = entries.size() + 1;
    if (entry.sequence != expected) return BrokenAt(db_.path(), expected, "is missing");
    hash = HashOf(hash, entry.sequence, entry.epoch, entry.payload);
    if (hash != rows->Blob(3)) {
      return BrokenAt(db_.path(), expected, "was changed after it was written");
    }
    entries.push_back(std::move(entry));
  }
  if (!rows->IsDone()) {
    return db_.Error(fmt::format("read entry {}", entries.size() + 1));
  }
  if (entries.size() < head->sequence) {
    return BrokenAt(db_.path(), entries.size() + 1, "is missing");
  }
  if (entries.size() > head->sequence || hash != head->hash) {
    return BrokenAt(db_.path(), head->sequence + 1, "was added by another program");
  }
  return entries;
}

absl::Status SqliteStore::BeginReign(std::uint64_t epoch) {
  if (epoch == 0 || epoch > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return absl::FailedPreconditionError(
        fmt::format("{}: epoch {} is refused; an epoch is 1 to 2^63-1", db_.path(), epoch));
  }
  return InTransaction([&]() -> absl::Status {
    auto head = ReadHead();
    if (!head.ok()) return head.status();
    if (epoch <= head->reign) {
      return absl::FailedPreconditionError(
          fmt::format("{}: epoch {} is refused, because epoch {} has reigned; take one above it",
                      db_.path(), epoch, head->reign));
    }
    head->reign = epoch;
    return WriteHead(*head);
  });
}

absl::Status SqliteStore::ProveWritable() {
  return InTransaction([&]() -> absl::Status {
    const auto head = ReadHead();
    if (!head.ok()) return head.status();
    // SQLite writes no page whose bytes stay the same: they change, and change back.
    Head other = *head;
    ++other.reign;
    const absl::Status changed = WriteHead(other);
    return changed.ok() ? WriteHead(*head) : changed;
  });
}

std::vector<absl::StatusOr<std::uint64_t>> SqliteStore::AppendGroup(
    const std::vector<NewEntry>& entries) {
  if (absl::Status there = CheckIsStillThere(); !there.ok()) {
    return std::vector<absl::StatusOr<std::uint64_t>>(entries.size(), there);
  }
  std::vector<absl::StatusOr<std::uint64_t>> answers;
  const absl::Status committed = InTransaction([&]() -> absl::Status {
    // Read within the transaction: whoever else writes this file, the newest reign is known here.
    auto head = ReadHead();
    if (!head.ok()) return head.status();
    for (const NewEntry& entry : entries) {
      if (entry.epoch != head->reign) {
        answers.emplace_back(absl::AbortedError(fmt::format(
            "{}: epoch {} was deposed, epoch {} reigns", db_.path(), entry.epoch, head->reign)));
        continue;
      }
      ++head->sequence;
      head->hash = HashOf(head->hash, head->sequence, entry.epoch, entry.payload);
      if (auto inserted = Insert(*head, entry); !inserted.ok()) return inserted;
      answers.emplace_back(head->sequence);
    }
    return WriteHead(*head);
  });
  // Once more: what went into a log that was unlinked meanwhile is in no journal.
  const absl::Status kept = committed.ok() ? CheckIsStillThere() : committed;
  if (kept.ok()) return answers;
  return std::vector<absl::StatusOr<std::uint64_t>>(entries.size(), kept);
}

}  // namespace headgate::journal
