#include "controller/database/maria_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "controller/database/label.h"
#include "controller/database/maria_grants.h"

namespace headgate::database {
namespace {

// In the order of MariaSchemaStatements.
enum Part : std::size_t {
  kTables,
  kColumns,
  kIndexes,
  kChecks,
  kKeys,
  kTriggers,
  kViews,
  kPartitions,
  kGrants
};

// With the place for the databases: {0} stands for "the column that names it is one of them".
// Tables whose names differ in case alone are two; their columns here compare without it.
constexpr std::array<std::string_view, 8> kParts = {
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION "
    "FROM information_schema.TABLES WHERE TABLE_SCHEMA {0}",

    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE, "
    "COLUMN_DEFAULT, GENERATION_EXPRESSION, EXTRA "
    "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA {0} "
    "ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",

    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, MIN(NON_UNIQUE), "
    "GROUP_CONCAT(CONCAT(COLUMN_NAME, IFNULL(CONCAT('(', SUB_PART, ')'), ''), "
    "IF(COLLATION = 'D', ' desc', '')) ORDER BY SEQ_IN_INDEX SEPARATOR ', '), MIN(INDEX_TYPE), "
    "MIN(IGNORED) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA {0} "
    "GROUP BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME, INDEX_NAME",

    "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, LEVEL, CHECK_CLAUSE "
    "FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA {0}",

    "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, "
    "GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), "
    "k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, "
    "GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), "
    "MIN(r.UPDATE_RULE), MIN(r.DELETE_RULE) "
    "FROM information_schema.KEY_COLUMN_USAGE AS k "
    "JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r "
    "ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND BINARY r.TABLE_NAME = k.TABLE_NAME "
    "AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME "
    "WHERE k.TABLE_SCHEMA {0} AND k.REFERENCED_TABLE_NAME IS NOT NULL "
    "GROUP BY BINARY k.TABLE_SCHEMA, BINARY k.TABLE_NAME, k.CONSTRAINT_NAME, "
    "BINARY k.REFERENCED_TABLE_SCHEMA, BINARY k.REFERENCED_TABLE_NAME",

    "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME, LOWER(ACTION_TIMING), "
    "LOWER(EVENT_MANIPULATION), ACTION_ORDER, ACTION_STATEMENT "
    "FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA {0}",

    "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, SECURITY_TYPE "
    "FROM information_schema.VIEWS WHERE TABLE_SCHEMA {0}",

    // Each server makes partitions by time for itself.
    "SELECT TABLE_SCHEMA, TABLE_NAME, PARTITION_METHOD, PARTITION_EXPRESSION, "
    "SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION, IF(PARTITION_METHOD = 'SYSTEM_TIME', '', "
    "CONCAT(' in ', COUNT(*), IFNULL(CONCAT(': ', GROUP_CONCAT(PARTITION_DESCRIPTION "
    "ORDER BY PARTITION_ORDINAL_POSITION SEPARATOR ', ')), ''))) "
    "FROM information_schema.PARTITIONS "
    "WHERE TABLE_SCHEMA {0} AND PARTITION_NAME IS NOT NULL "
    "GROUP BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME, PARTITION_METHOD, PARTITION_EXPRESSION, "
    "SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION"};

std::string Text(const Row& row, std::size_t column) {
  return column < row.size() ? row[column].value_or("") : "";
}

void Put(Schema& schema, const Row& row, const char* kind, std::string name, std::string text) {
  schema[{.schema = Text(row, 0), .relation = Text(row, 1), .kind = kind, .name = std::move(name)}]
      .text = std::move(text);
}

void ReadTables(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    const std::string type = Text(row, 2);
    if (type == "VIEW" || type == "SYSTEM VIEW") continue;
    std::string text =
        fmt::format("{}, {}, collate {}", type == "SEQUENCE" ? "a sequence" : "a table",
                    Text(row, 3), Text(row, 4));
    if (type == "SYSTEM VERSIONED") text += ", with system versioning";
    Put(schema, row, "table", "", std::move(text));
  }
}

std::string ColumnText(const Row& row) {
  std::string text = Text(row, 3);
  std::string extra = Text(row, 8);
  if (!Text(row, 4).empty()) text += " collate " + Text(row, 4);
  if (!Text(row, 7).empty()) {
    text += fmt::format(" generated always as ({})", Text(row, 7));
  } else if (row[6].has_value() && *row[6] != "NULL") {
    text += " default " + *row[6];
  }
  if (Text(row, 5) == "NO") text += " not null";
  if (!extra.empty()) text += " " + extra;
  return text;
}

// Of views the definition says it all.
void ReadColumns(const Rows& rows, Schema& schema) {
  std::map<std::pair<std::string, std::string>, std::string> orders;
  for (const Row& row : rows) {
    const ObjectKey table{Text(row, 0), Text(row, 1), "table", ""};
    if (row.size() != 9 || !schema.contains(table)) continue;
    std::string& order = orders[{Text(row, 0), Text(row, 1)}];
    order += (order.empty() ? "" : ", ") + Text(row, 2);
    Put(schema, row, "column", Text(row, 2), ColumnText(row));
  }
  for (auto& [table, order] : orders) {
    schema[{table.first, table.second, "setting", "column order"}].text = std::move(order);
  }
}

void ReadIndexes(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    const std::string name = Text(row, 2);
    const bool is_unique = Text(row, 3) == "0";
    std::string text = fmt::format("({}) using {}", Text(row, 4), Text(row, 5));
    if (Text(row, 6) == "YES") text += ", ignored";
    const char* kind = name == "PRIMARY" ? "constraint" : is_unique ? "unique index" : "index";
    if (name == "PRIMARY") text = "primary key " + text;
    Put(schema, row, kind, name, std::move(text));
  }
}

void ReadChecks(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    const bool is_of_column = Text(row, 3) == "Column";
    Put(schema, row, is_of_column ? "check of column" : "constraint", Text(row, 2),
        fmt::format("check ({})", Text(row, 4)));
  }
}

void ReadKeys(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    Put(schema, row, "constraint", Text(row, 2),
        fmt::format("foreign key ({}) references {} ({}) on update {} on delete {}", Text(row, 3),
                    LabelOf(Text(row, 4), Text(row, 5)), Text(row, 6), Text(row, 7), Text(row, 8)));
  }
}

void ReadTriggers(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    const std::string order = Text(row, 5);
    Put(schema, row, "trigger", Text(row, 2),
        fmt::format("{} {}{}: {}", Text(row, 3), Text(row, 4),
                    order == "1" ? "" : fmt::format(", number {}", order), Text(row, 6)));
  }
}

void ReadPartitions(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    std::string text = fmt::format("by {} ({})", Text(row, 2), Text(row, 3));
    if (!Text(row, 4).empty()) text += fmt::format(", {} ({})", Text(row, 4), Text(row, 5));
    Put(schema, row, "setting", "partitions", text + Text(row, 6));
  }
}

absl::Status ReadViews(const Rows& rows, Schema& schema) {
  for (const Row& row : rows) {
    if (Text(row, 2).empty()) {
      return absl::PermissionDeniedError(
          fmt::format("the definition of view {} is hidden: its definer or a table of it may be "
                      "gone, or SHOW VIEW is not granted",
                      LabelOf(Text(row, 0), Text(row, 1))));
    }
    std::string text = fmt::format("a view: {}", Text(row, 2));
    if (Text(row, 3) != "NONE") text += fmt::format(", with check option {}", Text(row, 3));
    if (Text(row, 4) != "DEFINER") text += ", sql security invoker";
    Put(schema, row, "table", "", std::move(text));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Statement> MariaSchemaStatements(const std::vector<std::string>& schemas) {
  std::string which = "NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')";
  if (!schemas.empty()) {
    which = "IN (";
    for (std::size_t i = 0; i < schemas.size(); ++i) which += i == 0 ? "?" : ", ?";
    which += ")";
  }
  std::vector<Statement> statements;
  for (const std::string_view part : kParts) {
    statements.push_back({.sql = fmt::format(fmt::runtime(part), which), .parameters = schemas});
  }
  statements.push_back({.sql = "SHOW GRANTS"});
  return statements;
}

absl::StatusOr<Schema> ReadMariaSchema(const std::vector<std::string>& schemas,
                                       const Answers& answers) {
  if (answers.size() < kMariaSchemaStatements) return absl::UnknownError("it was not asked");
  for (std::size_t i = 0; i < kMariaSchemaStatements; ++i) {
    if (!answers[i].ok()) return answers[i].status();
  }
  // The information_schema shows whatever one may see, and tells nothing of the rest.
  const std::string missing = MissingGrants(*answers[kGrants], schemas);
  if (!missing.empty()) {
    return absl::PermissionDeniedError(
        fmt::format("only a part of it may be visible: run {} there", missing));
  }
  Schema schema;
  ReadTables(*answers[kTables], schema);
  ReadColumns(*answers[kColumns], schema);
  ReadIndexes(*answers[kIndexes], schema);
  ReadChecks(*answers[kChecks], schema);
  ReadKeys(*answers[kKeys], schema);
  ReadTriggers(*answers[kTriggers], schema);
  ReadPartitions(*answers[kPartitions], schema);
  if (const absl::Status status = ReadViews(*answers[kViews], schema); !status.ok()) return status;
  return schema;
}

}  // namespace headgate::database
