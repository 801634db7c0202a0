#include "controller/database/maria_checksum.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
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

bool IsOneOf(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::ranges::find(types, type) != types.end();
}

// Of a key's type.
bool IsBytes(std::string_view type) {
  return IsOneOf(type, {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"});
}

// Of a key's type: the character set of text that may not survive the way to Unicode and back
// (maria_tables.cc). Its bytes do.
std::string_view LossyCharset(std::string_view type) {
  constexpr std::string_view kIn = "text in ";
  return type.starts_with(kIn) ? type.substr(kIn.size()) : "";
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

// Of a key's type: what is written into a statement as a number. Labels and bits are sorted by
// theirs.
bool IsNumber(std::string_view type) {
  return IsOneOf(type, {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double",
                        "float", "year", "enum", "set", "bit"});
}

// Whether it is a number as MariaDB writes it: nothing else may become a part of a statement.
bool IsNumberText(std::string_view text) {
  const auto take_digits = [&] {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(digits);
    return digits > 0;
  };
  const auto take = [&](std::string_view one_of) {
    if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  take("-");
  if (!take_digits()) return false;
  if (take(".") && !take_digits()) return false;
  if (!take("eE")) return text.empty();
  take("+-");
  return take_digits() && text.empty();
}

// Of PlannedColumn's base, which HashClass makes (maria_tables.cc): text of digits and the like.
std::string PlainValue(const std::string& name, std::string_view base) {
  // The servers' types differ: by what people read. What does not fit into max_allowed_packet then
  // is NULL, and must not be taken for one.
  if (base.empty()) {
    return fmt::format(
        "IF({0} IS NULL, 'N', IFNULL(SHA1(CONVERT({0} USING utf8mb4)), UUID_SHORT()))", name);
  }
  // As text a float would be rounded to six digits.
  if (base.starts_with("real")) return fmt::format("CAST({} AS DOUBLE)", name);
  if (base == "bits") return name + " + 0";
  // As it is stored, which costs no calendar.
  if (base.starts_with("plain timestamp")) return fmt::format("UNIX_TIMESTAMP({})", name);
  if (base.starts_with("number") || base.starts_with("plain")) return name;
  // Of any length, a geometry's too.
  return fmt::format("SHA1({})", name);
}

// The columns' values, one after the other, each so that one can tell where it ends: a plain one at
// the #, any other has its length before it. NULL is an N.
std::string Values(const std::vector<PlannedColumn>& columns) {
  std::string values;
  for (const PlannedColumn& column : columns) {
    const std::string name = Quote(column.name);
    const std::string_view base = column.base;
    const auto or_null = [&](const std::string& value) {
      return column.may_be_null ? fmt::format("IFNULL({}, 'N')", value) : value;
    };
    const bool is_long = base.starts_with("long");
    const bool is_label = base.starts_with("label");
    if (!is_long && !is_label && !base.starts_with("text") && base != "bytes") {
      values += ", " + or_null(PlainValue(name, base));
      continue;
    }
    // What is no label is an empty text, which may also be one.
    if (is_label) values += ", " + or_null(name + " + 0");
    values += fmt::format(", {}, ", or_null(fmt::format("LENGTH({})", name)));
    // A row's text must fit into max_allowed_packet, or there is none. Bytes stand beside text of
    // any character set.
    values += is_long ? fmt::format("IF(LENGTH({0}) > 1000, UNHEX(SHA1({0})), {0})", name) : name;
  }
  return values;
}

// Two checksums of its text that have nothing to do with each other, multiplied: each alone is
// linear, so that values swapped between two rows would cancel out. docs/decisions/0018. Next to
// bytes all character sets are taken as the bytes that are stored, so that any may stand beside
// any. A row that could not be written gets a number that no other row has: one that counts on
// would cancel out in pairs. It is the product that is asked whether it is NULL: of the row MariaDB
// believes to know that beforehand if no column of it may be, and then never writes it.
std::string RowHash(const std::vector<PlannedColumn>& columns) {
  return fmt::format(
      "IFNULL(CRC32(@row := CONCAT_WS(_binary'#' COLLATE `binary`{})) * CRC32C(@row), "
      "CRC32(@row := UUID()) * CRC32C(@row))",
      Values(columns));
}

std::string From(const TablePlan& table) {
  return fmt::format("{}.{}{}", Quote(table.schema), Quote(table.name),
                     table.is_primary_key && !table.IsUnindexed() ? " FORCE INDEX (PRIMARY)" : "");
}

// As text, where the servers sort it differently.
std::string AsText(const PlannedKey& part) {
  return fmt::format("CONVERT({} USING utf8mb4)", Quote(part.name));
}

// How a key's column is compared.
std::string KeyColumn(const PlannedKey& part) {
  return part.by_bytes ? fmt::format("CAST({} AS BINARY)", AsText(part)) : Quote(part.name);
}

// How its value is read.
std::string KeyText(const PlannedKey& part) {
  const std::string name = Quote(part.name);
  if (part.by_bytes) return AsText(part);
  if (IsBytes(part.type) || !LossyCharset(part.type).empty()) return fmt::format("HEX({})", name);
  if (IsOneOf(part.type, {"enum", "set", "bit"})) return name + " + 0";
  return part.type == "float" ? fmt::format("CAST({} AS DOUBLE)", name) : name;
}

// And given back.
std::string KeyValue(const PlannedKey& part, const std::string& value,
                     std::vector<std::string>& parameters) {
  // As text, large ones would be compared as floating-point numbers.
  if (!part.by_bytes && IsNumber(part.type) && IsNumberText(value)) return value;
  const std::string_view charset = LossyCharset(part.type);
  if (!part.by_bytes && !charset.empty() && IsHex(value)) {
    return fmt::format("_{} x'{}'", charset, value);
  }
  parameters.push_back(value);
  return !part.by_bytes && IsBytes(part.type) ? "UNHEX(?)" : "?";
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
