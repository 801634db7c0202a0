// MariaDB's dialect of comparing data. A row's hash is 64 bits of the SHA1 of its columns as text:
// each value of varying form with its length before it, so that no two rows read the same.
// A row has no version here that tells of writes in between, so it must be seen to differ in the
// same way several times, each time unmoved on the primary and after the replica has come to the
// primary's GTID position; and in between, of many readings on both at once, none may agree.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/database/checksum_dialect.h"

namespace headgate::database {

class MariaChecksum final : public ChecksumDialect {
 public:
  std::string name() const override { return "mariadb"; }
  int LooksToConfirm() const override { return 4; }
  bool HasRowVersions() const override { return false; }

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

// Whether GTID position `here` ("0-1-100,5-2-7") is at or behind `wanted` in each of its domains.
bool GtidCovers(std::string_view here, std::string_view wanted);

}  // namespace headgate::database
