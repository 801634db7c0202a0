// What comparing data must be able to ask of an engine: where its SQL goes. PostgreSQL is one
// dialect, MariaDB the other.
// Pure; any thread. Promises: no statement writes; each is answered the same by any two servers
// that hold the same rows, whatever their time zone, locale or order of columns, and differently,
// but for a chance of 2^-64, by two that do not: values swapped between two rows included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/chunker.h"
#include "controller/database/inventory.h"
#include "controller/database/statement.h"
#include "controller/database/table_plan.h"
#include "controller/database/table_shape.h"

namespace headgate::database {

enum class ServerRole { kPrimary, kPhysical, kLogical };

// What a range of rows comes to.
struct Sum {
  std::uint64_t rows = 0;
  std::string hash;
  // The server's own word of what the statement took.
  Microseconds busy{0};
  // It has at least this many rows, and the hash is of some of them.
  bool is_cut = false;
  bool IsSameAs(const Sum& other) const {
    return !is_cut && !other.is_cut && rows == other.rows && hash == other.hash;
  }
};

struct ListedRow {
  Key key;
  std::string hash;
  // Changes whenever the row is written; empty: the engine has no such thing.
  std::string version;
  friend bool operator==(const ListedRow&, const ListedRow&) = default;
};

// Where a row's columns differ is told by its columns' hashes.
using ColumnHashes = std::map<std::string, std::string>;

class ChecksumDialect {
 public:
  virtual ~ChecksumDialect() = default;

  virtual std::string name() const = 0;
  // How often, one after the other, a row must be seen to differ in the same way.
  virtual int LooksToConfirm() const = 0;
  // Whether a row tells that it was written in between; else one that goes back and forth might
  // look as if it had not moved.
  virtual bool HasRowVersions() const = 0;

  // First of every round, because a connection may be a new one.
  virtual Statement Settings() const = 0;

  virtual std::vector<Statement> TablesStatements(
      ServerRole role, const std::vector<std::string>& schemas) const = 0;
  virtual absl::StatusOr<ServerTables> ReadTables(ServerRole role,
                                                  const std::vector<std::string>& schemas,
                                                  const Answers& answers) const = 0;

  // Of at most `rows_max` rows, if given.
  virtual Statement SumStatement(const TablePlan& table, const KeyRange& range,
                                 std::optional<std::size_t> rows_max) const = 0;
  // The key of the last of the next `rows` rows of the range, and what finding it took; no row:
  // there are fewer.
  virtual Statement BoundStatement(const TablePlan& table, const KeyRange& range,
                                   std::size_t rows) const = 0;
  // In the order of the key.
  virtual Statement ListStatement(const TablePlan& table, const KeyRange& range,
                                  std::size_t rows_max) const = 0;
  virtual Statement RowsStatement(const TablePlan& table, const std::vector<Key>& keys) const = 0;
  // A row for each key that is there: key, and a hash for each of the plan's columns.
  virtual Statement ColumnsStatement(const TablePlan& table,
                                     const std::vector<Key>& keys) const = 0;

  // Asked of the primary after rows were read: all that was read lies before this position.
  virtual Statement PositionStatement() const = 0;
  // How many commits the primary does not show yet that its replicas may show already.
  virtual Statement HeldBackStatement() const = 0;
  virtual std::vector<Statement> ReplayStatements(ServerRole role) const = 0;
  // Proven by what the primary and the replica say.
  virtual bool HasReplayed(ServerRole replica, const std::string& position,
                           const Answers& primary_says, const Answers& replica_says) const = 0;
};

absl::StatusOr<Sum> ReadSum(const absl::StatusOr<Rows>& answer,
                            std::optional<std::size_t> rows_max);
struct Bound {
  std::optional<Key> key;
  Microseconds busy{0};
};
absl::StatusOr<Bound> ReadBound(const absl::StatusOr<Rows>& answer, const TablePlan& table);
absl::StatusOr<std::vector<ListedRow>> ReadListed(const absl::StatusOr<Rows>& answer,
                                                  const TablePlan& table);
// By key.
absl::StatusOr<std::map<Key, ColumnHashes>> ReadColumns(const absl::StatusOr<Rows>& answer,
                                                        const TablePlan& table);

}  // namespace headgate::database
