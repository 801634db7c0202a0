// MariaDB's dialect: which tables there are, and how far a replica has come.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "controller/database/gtid.h"
#include "controller/database/label.h"
#include "controller/database/maria_checksum.h"
#include "controller/database/maria_grants.h"
#include "controller/database/observation.h"

namespace headgate::database {
namespace {

// It brought CRC32C.
constexpr std::uint64_t kVersionMin = 1008;

// " AND TABLE_SCHEMA IN (?, …)"; without schemas all but the system's.
std::string InSchemas(const std::vector<std::string>& schemas) {
  if (schemas.empty()) {
    return "TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')";
  }
  std::string marks;
  for (std::size_t i = 0; i < schemas.size(); ++i) marks += i == 0 ? "?" : ", ?";
  return fmt::format("TABLE_SCHEMA IN ({})", marks);
}

// How a column's values are hashed, and at the same time what two servers must agree on for that:
// as they are stored, whatever width their types have. What is zero-filled has as many digits as
// its type says.
std::string HashClass(const std::string& type, const std::string& whole_type,
                      const std::string& charset) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> types) {
    return std::ranges::find(types, type) != types.end();
  };
  const bool is_padded = whole_type.ends_with("zerofill");
  if (is_one_of({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"})) {
    return is_padded ? "number " + whole_type : (type == "decimal" ? "number decimal" : "number");
  }
  if (is_one_of({"float", "double"})) return is_padded ? "real " + whole_type : "real";
  if (is_one_of({"char", "varchar", "tinytext"})) return "text " + charset;
  if (is_one_of({"enum", "set"})) return fmt::format("label {} {}", charset, whole_type);
  if (is_one_of({"text", "mediumtext", "longtext"})) return "long text " + charset;
  if (is_one_of({"binary", "varbinary", "tinyblob"})) return "bytes";
  if (is_one_of({"blob", "mediumblob", "longblob"})) return "long bytes";
  if (type == "bit") return "bits";
  const bool is_plain = is_one_of({"date", "datetime", "timestamp", "time", "year"});
  return fmt::format("{} {}", is_plain ? "plain" : "other", whole_type);
}

// Unicode has each of the others' characters once and back again.
std::string KeyType(const std::string& type, const std::string& charset) {
  constexpr std::array<std::string_view, 9> kWhole = {
      "ascii", "latin1", "utf8", "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32"};
  const bool is_text = !charset.empty() && type != "enum" && type != "set";
  return is_text && std::ranges::find(kWhole, charset) == kWhole.end() ? "text in " + charset
                                                                       : type;
}

void ReadTableRow(const Row& row, TableShapes& shapes) {
  TableShape& shape = shapes[LabelOf(*row[0], *row[1])];
  shape.schema = *row[0];
  shape.name = *row[1];
  shape.rows_estimated = double(ToPosition(row[2]).value_or(0));
  // Until it is seen to have columns.
  shape.obstacle = "the server cannot open it, or shows no column of it";
}

void ReadColumnRow(const Row& row, TableShapes& shapes) {
  // Views have columns too.
  const auto found = shapes.find(LabelOf(*row[0], *row[1]));
  if (found == shapes.end()) return;
  found->second.obstacle.clear();
  found->second.columns[*row[2]] = {
      .name = *row[2],
      .type = KeyType(*row[3], row[5].value_or("")),
      .base = HashClass(*row[3], *row[4], row[5].value_or("")),
      .may_be_null = *row[7] == "YES",
      // Numbers sort labels.
      .order = *row[3] == "enum" || *row[3] == "set" ? *row[4] : row[6].value_or("")};
}

void ReadKeys(const Rows& rows, TableShapes& shapes) {
  std::map<std::string, std::vector<std::pair<std::string, KeyShape>>> keys;
  std::map<std::string, std::vector<std::string>> unfit;
  for (const Row& row : rows) {
    const std::string table = LabelOf(*row[0], *row[1]);
    auto& of_table = keys[table];
    if (of_table.empty() || of_table.back().first != *row[2]) {
      of_table.push_back({*row[2], {.columns = {}, .is_primary = *row[2] == "PRIMARY"}});
    }
    of_table.back().second.columns.push_back(*row[3]);
    const auto shape = shapes.find(table);
    const bool is_seen = shape != shapes.end() && shape->second.columns.contains(*row[3]);
    if (*row[4] != "1" || !is_seen) unfit[table].push_back(*row[2]);
  }
  for (auto& [table, of_table] : keys) {
    const auto shape = shapes.find(table);
    if (shape == shapes.end()) continue;
    for (auto& [index, key] : of_table) {
      if (std::ranges::find(unfit[table], index) != unfit[table].end()) continue;
      const auto at = key.is_primary ? shape->second.keys.begin() : shape->second.keys.end();
      shape->second.keys.insert(at, std::move(key));
    }
  }
}

bool HasCells(const Rows& rows, std::size_t cells, std::size_t needed) {
  return std::ranges::all_of(rows, [&](const Row& row) {
    return row.size() == cells && std::all_of(row.begin(), row.begin() + std::ptrdiff_t(needed),
                                              [](const auto& cell) { return cell.has_value(); });
  });
}

}  // namespace

std::vector<Statement> MariaChecksum::TablesStatements(
    ServerRole /*role*/, const std::vector<std::string>& schemas) const {
  return {{.sql = fmt::format("SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(TABLE_ROWS, 0) "
                              "FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', "
                              "'SYSTEM VERSIONED') AND {}",
                              InSchemas(schemas)),
           .parameters = schemas},
          {.sql = fmt::format("SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, "
                              "COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE "
                              "FROM information_schema.COLUMNS WHERE {}",
                              InSchemas(schemas)),
           .parameters = schemas},
          // What is unique by its beginning is so by the whole.
          {.sql = fmt::format("SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, "
                              "NON_UNIQUE = 0 AND NULLABLE <> 'YES' "
                              "AND INDEX_TYPE IN ('BTREE', 'HASH') "
                              "FROM information_schema.STATISTICS WHERE {} "
                              "ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
                              InSchemas(schemas)),
           .parameters = schemas},
          {.sql = "SHOW GRANTS", .parameters = {}},
          // 1011 is 10.11.
          {.sql = "SELECT CAST(SUBSTRING_INDEX(VERSION(), '.', 1) * 100 + "
                  "SUBSTRING_INDEX(SUBSTRING_INDEX(VERSION(), '.', 2), '.', -1) AS UNSIGNED)",
           .parameters = {}}};
}

absl::StatusOr<ServerTables> MariaChecksum::ReadTables(ServerRole /*role*/,
                                                       const std::vector<std::string>& schemas,
                                                       const Answers& answers) const {
  for (const auto& answer : answers) {
    if (!answer.ok()) return answer.status();
  }
  if (answers.size() != 5 || !HasCells(*answers[0], 3, 3) || !HasCells(*answers[1], 8, 5) ||
      !HasCells(*answers[2], 5, 5)) {
    return absl::UnknownError("its answer about its tables cannot be understood");
  }
  if (answers[4]->size() != 1 || ToPosition(answers[4]->front().front()) < kVersionMin) {
    return absl::UnknownError("comparing data needs MariaDB 10.8 or later");
  }
  ServerTables tables;
  for (const Row& row : *answers[0]) ReadTableRow(row, tables.shapes);
  for (const Row& row : *answers[1]) ReadColumnRow(row, tables.shapes);
  ReadKeys(*answers[2], tables.shapes);
  if (const std::string missing = MissingGrants(*answers[3], schemas, {"SELECT"});
      !missing.empty()) {
    tables.blindness = fmt::format(
        "there may be tables and columns that the account is not shown: run {} there", missing);
  }
  return tables;
}

Statement MariaChecksum::PositionStatement() const {
  // A transaction is in the binary log before anybody sees it.
  return {.sql = "SELECT @@gtid_binlog_pos", .parameters = {}};
}

Statement MariaChecksum::HeldBackStatement() const {
  return {.sql =
              "SELECT CAST(COALESCE(MAX(VARIABLE_VALUE), 0) AS UNSIGNED) FROM "
              "information_schema.GLOBAL_STATUS "
              "WHERE VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS'",
          .parameters = {}};
}

std::vector<Statement> MariaChecksum::ReplayStatements(ServerRole /*role*/) const {
  return {{.sql = "SELECT @@gtid_slave_pos", .parameters = {}}};
}

bool MariaChecksum::HasReplayed(ServerRole /*replica*/, const std::string& position,
                                const Answers& /*primary_says*/,
                                const Answers& replica_says) const {
  if (replica_says.empty() || !replica_says[0].ok() || replica_says[0]->size() != 1) return false;
  return GtidCovers(replica_says[0]->front().at(0).value_or(""), position);
}

bool GtidCovers(std::string_view here, std::string_view wanted) {
  const auto has = ParseGtidPosition(here);
  const auto needs = ParseGtidPosition(wanted);
  return has.has_value() && needs.has_value() && Covers(*has, *needs);
}

}  // namespace headgate::database
