// PostgreSQL's dialect of comparing data. A row's hash is a chain through its columns, each hashed
// with the hash so far as its seed, so that neither a column nor a row can trade places with
// another unseen. Where PostgreSQL's own hash of a type hides a difference (a bigint's two halves,
// a numeric's sign and scale, minus zero, an interval's units, an enum's label) or is missing, the
// text is hashed.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/database/checksum_dialect.h"

namespace headgate::database {

class PostgresChecksum final : public ChecksumDialect {
 public:
  std::string name() const override { return "postgres"; }
  // A row's xmin tells of every write in between; twice, because a standby may show a commit
  // shortly before its primary does.
  int LooksToConfirm() const override { return 2; }
  bool HasRowVersions() const override { return true; }

  Statement Settings() const override;
  std::vector<Statement> TablesStatements(ServerRole role,
                                          const std::vector<std::string>& schemas) const override;
  absl::StatusOr<ServerTables> ReadTables(ServerRole role, const std::vector<std::string>& schemas,
                                          const Answers& answers) const override;
  Statement SumStatement(const TablePlan& table, const KeyRange& range,
                         std::optional<std::size_t> rows_max) const override;
  Statement BoundStatement(const TablePlan& table, const KeyRange& range,
                           std::size_t rows) const override;
  Statement ListStatement(const TablePlan& table, const KeyRange& range,
                          std::size_t rows_max) const override;
  Statement RowsStatement(const TablePlan& table, const std::vector<Key>& keys) const override;
  Statement ColumnsStatement(const TablePlan& table, const std::vector<Key>& keys) const override;
  Statement PositionStatement() const override;
  Statement HeldBackStatement() const override;
  std::vector<Statement> ReplayStatements(ServerRole role) const override;
  bool HasReplayed(ServerRole replica, const std::string& position, const Answers& primary_says,
                   const Answers& replica_says) const override;
};

// "orders" -> "\"orders\"".
std::string QuotePostgresName(std::string_view name);
// An array of names, as a parameter's text.
std::string PostgresArray(const std::vector<std::string>& elements);

}  // namespace headgate::database
