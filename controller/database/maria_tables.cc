// MariaDB's dialect: which tables there are, and how far a replica has come.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "controller/database/maria_checksum.h"
#include "controller/database/observation.h"

namespace headgate::database {
namespace {

// " AND TABLE_SCHEMA IN (?, …)"; without schemas all but the system's.
std::string InSchemas(const std::vector<std::string>& schemas) {
  if (schemas.empty()) {
    return "TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')";
  }
  std::string marks;
  for (std::size_t i = 0; i < schemas.size(); ++i) marks += i == 0 ? "?" : ", ?";
  return fmt::format("TABLE_SCHEMA IN ({})", marks);
}

void ReadColumnRow(const Row& row, TableShapes& shapes) {
  TableShape& shape = shapes[*row[0] + "." + *row[1]];
  shape.schema = *row[0];
  shape.name = *row[1];
  shape.rows_estimated = double(ToPosition(row[2]).value_or(0));
  const std::string& type = *row[5];
  // What can be compared as it is stored: the type to its last word, and how text is encoded.
  const std::string base = fmt::format("{}:{} {}", *row[4], type, row[6].value_or(""));
  shape.columns[*row[3]] = {
      .name = *row[3],
      .type = *row[4],
      .base = base,
      .may_be_null = *row[8] == "YES",
      // Numbers sort labels.
      .order = *row[4] == "enum" || *row[4] == "set" ? type : row[7].value_or("")};
  // A session puts a parameter in the place of each question mark.
  const bool is_unspeakable = std::ranges::any_of(std::array{0U, 1U, 3U}, [&](unsigned cell) {
    return std::ranges::count(*row[cell], '?') > 0;
  });
  if (is_unspeakable) shape.obstacle = "a name of it has a question mark";
}

void ReadKeys(const Rows& rows, TableShapes& shapes) {
  std::map<std::string, std::vector<std::pair<std::string, KeyShape>>> keys;
  std::map<std::string, std::vector<std::string>> unfit;
  for (const Row& row : rows) {
    const std::string table = *row[0] + "." + *row[1];
    auto& of_table = keys[table];
    if (of_table.empty() || of_table.back().first != *row[2]) {
      of_table.push_back({*row[2], {.columns = {}, .is_primary = *row[2] == "PRIMARY"}});
    }
    of_table.back().second.columns.push_back(*row[3]);
    if (*row[4] != "1") unfit[table].push_back(*row[2]);
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

// "0-1-100,5-2-7" -> {0: 100, 5: 7}; nullopt: it is no such position.
std::optional<std::map<std::string, std::uint64_t>> ReadGtids(std::string_view text) {
  std::map<std::string, std::uint64_t> position;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view gtid = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    const std::size_t first = gtid.find('-');
    const std::size_t last = gtid.rfind('-');
    if (first == std::string_view::npos || first == last) return std::nullopt;
    const auto number = ToPosition(std::string(gtid.substr(last + 1)));
    if (!number.has_value()) return std::nullopt;
    position[std::string(gtid.substr(0, first))] = *number;
  }
  return position;
}

}  // namespace

std::vector<Statement> MariaChecksum::TablesStatements(
    ServerRole /*role*/, const std::vector<std::string>& schemas) const {
  return {{.sql = fmt::format(
               "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(TABLE_ROWS, 0), COLUMN_NAME, DATA_TYPE, "
               "COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE "
               "FROM information_schema.TABLES JOIN information_schema.COLUMNS "
               "USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_TYPE IN ('BASE TABLE', "
               "'SYSTEM VERSIONED') AND {}",
               InSchemas(schemas)),
           .parameters = schemas},
          {.sql = fmt::format(
               "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, "
               "NON_UNIQUE = 0 AND NULLABLE <> 'YES' AND SUB_PART IS NULL AND INDEX_TYPE = 'BTREE' "
               "AND COLLATION = 'A' FROM information_schema.STATISTICS WHERE {} "
               "ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
               InSchemas(schemas)),
           .parameters = schemas},
          {.sql = "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES "
                  "WHERE PRIVILEGE_TYPE = 'SELECT'",
           .parameters = {}}};
}

absl::StatusOr<ServerTables> MariaChecksum::ReadTables(ServerRole /*role*/,
                                                       const Answers& answers) const {
  for (const auto& answer : answers) {
    if (!answer.ok()) return answer.status();
  }
  if (answers.size() != 3 || !HasCells(*answers[0], 9, 6) || !HasCells(*answers[1], 5, 4) ||
      answers[2]->size() != 1) {
    return absl::UnknownError("its answer about its tables cannot be understood");
  }
  ServerTables tables;
  for (const Row& row : *answers[0]) ReadColumnRow(row, tables.shapes);
  ReadKeys(*answers[1], tables.shapes);
  if (ToPosition(answers[2]->front().front()).value_or(0) == 0) {
    tables.blindness =
        "the account may not SELECT from every table, so there may be some that it is not shown: "
        "GRANT SELECT ON *.*";
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
  const auto has = ReadGtids(here);
  const auto needs = ReadGtids(wanted);
  if (!has.has_value() || !needs.has_value()) return false;
  return std::ranges::all_of(*needs, [&](const auto& gtid) {
    const auto found = has->find(gtid.first);
    return found != has->end() && found->second >= gtid.second;
  });
}

}  // namespace headgate::database
