// SQLite with owners, and its errors as the journal words them. Include in .cc files only.
// One thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate::journal {

// One prepared statement, used again and again. Column and parameter numbers as SQLite counts
// them: parameters from 1, columns from 0.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void Bind(int parameter, std::uint64_t value);
  void Bind(int parameter, std::string_view blob);
  // True: there is a row; false: done, or an error that Database::ErrorOf words.
  bool Step();
  bool IsDone() const { return result_ == SQLITE_DONE; }
  void Reset() { sqlite3_reset(statement_.get()); }

  std::uint64_t Number(int column) const;
  std::string_view Blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int result_ = SQLITE_OK;
};

class Database {
 public:
  // `flags`: SQLITE_OPEN_….
  static absl::StatusOr<Database> Open(const std::string& path, int flags);

  absl::Status Execute(const char* sql);
  absl::StatusOr<Statement> Prepare(const char* sql);
  // The first column of the first row.
  absl::StatusOr<std::string> QueryText(const char* sql);
  // The newest failure: RESOURCE_EXHAUSTED: no space; DATA_LOSS: damaged; UNAVAILABLE: any other.
  absl::Status Error(std::string_view what) const;
  bool InTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace headgate::journal
