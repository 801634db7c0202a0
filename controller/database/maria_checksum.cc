#include "controller/database/maria_checksum.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headgate::database {
namespace {

// What the statement has taken so far, in microseconds.
constexpr std::string_view kBusy = "TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6))";
// The same at the end of a sum: without a sum in it, it would be asked at the beginning.
constexpr std::string_view kBusyOfSum =
    "IF(COUNT(*) >= 0, TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)), 0)";

std::string Quote(std::string_view name) {
  std::string quoted = "`";
  for (const char letter : name) {
    if (letter == '`') quoted += '`';
    quoted += letter;
  }
  return quoted + '`';
}

// The type's first word: "bigint" of "bigint:bigint(20) unsigned".
std::string_view Family(std::string_view base) { return base.substr(0, base.find(':')); }

bool IsOneOf(std::string_view family, const std::vector<std::string_view>& families) {
  return std::ranges::find(families, family) != families.end();
}

bool IsBytes(std::string_view family) {
  return IsOneOf(family, {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"});
}

bool IsNumber(std::string_view family) {
  return IsOneOf(family, {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double",
                          "float", "year"});
}

// Text that holds neither separators nor varying lengths, or has its length before it.
std::string Value(const PlannedColumn& column) {
  const std::string name = Quote(column.name);
  const std::string_view family = Family(column.base);
  // The servers' types differ: by what people read.
  if (column.base.empty()) return fmt::format("HEX(CONVERT({} USING utf8mb4))", name);
  // As text it would be rounded to six digits.
  if (family == "float") return fmt::format("CAST({} AS DOUBLE)", name);
  if (family == "bit") return fmt::format("{} + 0", name);
  const bool is_plain =
      IsNumber(family) || IsOneOf(family, {"date", "datetime", "timestamp", "time", "uuid"});
  if (is_plain) return name;
  const bool is_text = IsOneOf(
      family, {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"});
  if (is_text || IsBytes(family)) return fmt::format("LENGTH({0}), {0}", name);
  return fmt::format("HEX({})", name);
}

std::string RowHash(const std::vector<PlannedColumn>& columns) {
  std::string nulls;
  std::string values;
  for (const PlannedColumn& column : columns) {
    if (column.may_be_null) {
      nulls += fmt::format("{}ISNULL({})", nulls.empty() ? "" : ", ", Quote(column.name));
    }
    values += ", " + Value(column);
  }
  // CONCAT_WS leaves NULL out; the digits before tell where.
  return fmt::format("CAST(CONV(LEFT(SHA1(CONCAT_WS('#', {}{})), 16), 16, 10) AS UNSIGNED)",
                     nulls.empty() ? "''" : fmt::format("CONCAT({})", nulls), values);
}

std::string From(const TablePlan& table) {
  return fmt::format("{}.{}{}", Quote(table.schema), Quote(table.name),
                     table.is_primary_key && !table.IsUnindexed() ? " FORCE INDEX (PRIMARY)" : "");
}

// How a key's column is compared.
std::string KeyColumn(const PlannedKey& part) {
  const std::string name = Quote(part.name);
  return part.by_bytes ? fmt::format("CAST({} AS BINARY)", name) : name;
}

// How its value is read.
std::string KeyText(const PlannedKey& part) {
  const std::string name = Quote(part.name);
  const std::string_view family = Family(part.type);
  if (IsBytes(family)) return fmt::format("HEX({})", name);
  // They are sorted by their numbers.
  if (IsOneOf(family, {"enum", "set", "bit"})) return name + " + 0";
  return name;
}

// And given back.
std::string KeyValue(const PlannedKey& part, const std::string& value,
                     std::vector<std::string>& parameters) {
  const std::string_view family = Family(part.type);
  const bool is_number = IsNumber(family) || IsOneOf(family, {"enum", "set", "bit"});
  const bool is_plain =
      !value.empty() && value.find_first_not_of("0123456789.-+eE") == std::string::npos;
  // As text, large ones would be compared as floating-point numbers.
  if (is_number && is_plain) return value;
  parameters.push_back(value);
  return IsBytes(family) ? "UNHEX(?)" : "?";
}

// (a > 1) OR (a = 1 AND b > 2): a row's comparison would use no index.
std::string Compared(const TablePlan& table, const Key& key, bool is_lower,
                     std::vector<std::string>& parameters) {
  const std::size_t last = table.key.size() - 1;
  std::string text;
  for (std::size_t i = 0; i <= last; ++i) {
    std::string term;
    for (std::size_t j = 0; j < i; ++j) {
      term += fmt::format("{} = {} AND ", KeyColumn(table.key[j]),
                          KeyValue(table.key[j], key.at(j), parameters));
    }
    const char* sign = is_lower ? ">" : (i == last ? "<=" : "<");
    term += fmt::format("{} {} {}", KeyColumn(table.key[i]), sign,
                        KeyValue(table.key[i], key.at(i), parameters));
    text += fmt::format("{}({})", i > 0 ? " OR " : "", term);
  }
  return fmt::format("({})", text);
}

std::string Where(const TablePlan& table, const KeyRange& range,
                  std::vector<std::string>& parameters) {
  std::string where;
  const auto add = [&](const Key& key, bool is_lower) {
    where += where.empty() ? " WHERE " : " AND ";
    // Of several columns the first alone tells the optimiser the range.
    if (table.key.size() > 1) {
      where += fmt::format("{} {} {} AND ", KeyColumn(table.key[0]),
                           is_lower ? ">=" : "<=", KeyValue(table.key[0], key.at(0), parameters));
    }
    where += Compared(table, key, is_lower, parameters);
  };
  if (range.after.has_value()) add(*range.after, true);
  if (range.until.has_value()) add(*range.until, false);
  return where;
}

std::string WhereOneOf(const TablePlan& table, const std::vector<Key>& keys,
                       std::vector<std::string>& parameters) {
  std::string where;
  for (const Key& key : keys) {
    where += where.empty() ? " WHERE (" : " OR (";
    for (std::size_t i = 0; i < table.key.size(); ++i) {
      where += fmt::format("{}{} = {}", i > 0 ? " AND " : "", Quote(table.key[i].name),
                           KeyValue(table.key[i], key.at(i), parameters));
    }
    where += ")";
  }
  return where;
}

std::string KeyTexts(const TablePlan& table) {
  std::string list;
  for (const PlannedKey& part : table.key) list += (list.empty() ? "" : ", ") + KeyText(part);
  return list;
}

std::string KeyOrder(const TablePlan& table) {
  std::string list;
  for (const PlannedKey& part : table.key) list += (list.empty() ? "" : ", ") + KeyColumn(part);
  return list;
}

}  // namespace

// The session itself pins what matters: time zone, sql_mode, character set.
Statement MariaChecksum::Settings() const { return {.sql = "SELECT 1", .parameters = {}}; }

Statement MariaChecksum::SumStatement(const TablePlan& table, const KeyRange& range,
                                      std::optional<std::size_t> rows_max) const {
  Statement statement;
  const std::string where = Where(table, range, statement.parameters);
  const std::string hash = RowHash(table.columns);
  if (rows_max.has_value()) {
    statement.sql = fmt::format(
        "SELECT COUNT(*), BIT_XOR(h), {} FROM (SELECT {} AS h FROM {}{} LIMIT {}) AS cut",
        kBusyOfSum, hash, From(table), where, *rows_max);
  } else {
    statement.sql = fmt::format("SELECT COUNT(*), BIT_XOR({}), {} FROM {}{}", hash, kBusyOfSum,
                                From(table), where);
  }
  return statement;
}

Statement MariaChecksum::BoundStatement(const TablePlan& table, const KeyRange& range,
                                        std::size_t rows) const {
  Statement statement;
  const std::string where = Where(table, range, statement.parameters);
  std::string columns;
  for (const PlannedKey& part : table.key) {
    columns += (columns.empty() ? "" : ", ") + Quote(part.name);
  }
  // What is written outside is not written for each row that is passed over.
  statement.sql =
      fmt::format("SELECT {}, {} FROM (SELECT {} FROM {}{} ORDER BY {} LIMIT {}, 1) AS last",
                  KeyTexts(table), kBusy, columns, From(table), where, KeyOrder(table), rows - 1);
  return statement;
}

Statement MariaChecksum::ListStatement(const TablePlan& table, const KeyRange& range,
                                       std::size_t rows_max) const {
  Statement statement;
  const std::string where = Where(table, range, statement.parameters);
  statement.sql =
      fmt::format("SELECT {}, {}, '' FROM {}{} ORDER BY {} LIMIT {}", KeyTexts(table),
                  RowHash(table.columns), From(table), where, KeyOrder(table), rows_max);
  return statement;
}

Statement MariaChecksum::RowsStatement(const TablePlan& table, const std::vector<Key>& keys) const {
  Statement statement;
  const std::string where = WhereOneOf(table, keys, statement.parameters);
  statement.sql = fmt::format("SELECT {}, {}, '' FROM {}{}", KeyTexts(table),
                              RowHash(table.columns), From(table), where);
  return statement;
}

Statement MariaChecksum::ColumnsStatement(const TablePlan& table,
                                          const std::vector<Key>& keys) const {
  Statement statement;
  const std::string where = WhereOneOf(table, keys, statement.parameters);
  std::string hashes;
  for (const PlannedColumn& column : table.columns) hashes += ", " + RowHash({column});
  statement.sql = fmt::format("SELECT {}{} FROM {}{}", KeyTexts(table), hashes, From(table), where);
  return statement;
}

}  // namespace headgate::database
