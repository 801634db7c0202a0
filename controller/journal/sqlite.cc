#include "controller/journal/sqlite.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace headgate::journal {

void Statement::Bind(int parameter, std::uint64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, static_cast<sqlite3_int64>(value));
}

void Statement::Bind(int parameter, std::string_view blob) {
  // SQLite stores NULL for a null pointer, also with length 0.
  sqlite3_bind_blob64(statement_.get(), parameter, blob.empty() ? "" : blob.data(), blob.size(),
                      SQLITE_TRANSIENT);
}

bool Statement::Step() {
  // For Database::Error.
  errno = 0;
  result_ = sqlite3_step(statement_.get());
  return result_ == SQLITE_ROW;
}

std::uint64_t Statement::Number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(bytes, static_cast<std::size_t>(size));
}

absl::StatusOr<Database> Database::Open(const std::string& path, int flags) {
  Database database;
  database.path_ = path;
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  database.database_.reset(opened);
  if (result != SQLITE_OK) return database.Error("open");
  sqlite3_extended_result_codes(opened, 1);
  return database;
}

absl::Status Database::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return Error(sql);
}

absl::StatusOr<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
    return Error(sql);
  }
  return Statement(statement);
}

absl::StatusOr<std::string> Database::QueryText(const char* sql) {
  auto statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  if (!statement->Step()) return Error(sql);
  return std::string(statement->Blob(0));
}

absl::Status Database::Error(std::string_view what) const {
  // SQLite keeps the system's reason of every failure but that of a COMMIT.
  const int newest_errno = errno;
  const int kept_errno = sqlite3_system_errno(database_.get());
  const int system_error = kept_errno != 0 ? kept_errno : newest_errno;
  const int code = sqlite3_errcode(database_.get()) & 0xFF;
  const bool is_io = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  const bool no_space =
      code == SQLITE_FULL ||
      (is_io && (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG));
  const std::string reason =
      fmt::format("{}: {}: {}{}", path_, what, sqlite3_errmsg(database_.get()),
                  is_io && system_error != 0 ? fmt::format(" ({})", std::strerror(system_error))
                                             : std::string());
  if (no_space) {
    return absl::ResourceExhaustedError(
        fmt::format("{}; free space on that disk, recording goes on by itself", reason));
  }
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return absl::DataLossError(
        fmt::format("{}; keep the file, restore a backup (docs/JOURNAL.md)", reason));
  }
  return absl::UnavailableError(reason);
}

}  // namespace headgate::journal
