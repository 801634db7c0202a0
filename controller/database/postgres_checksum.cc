#include "controller/database/postgres_checksum.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace headgate::database {
namespace {

// Any number will do, as long as it is always the same: a seed of 0 would switch seeding off.
constexpr std::string_view kSeed = "4711";
// What the statement has taken when its last row is made, in microseconds.
constexpr std::string_view kBusy =
    "(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000000)::bigint";
// NULL bits that fit into one integer.
constexpr std::size_t kNullBits = 30;

// How a type that PostgreSQL hashes by what it stores is hashed: {value} with {seed}.
struct NativeHash {
  std::string_view base;
  std::string_view hash;
  // In place of NULL.
  std::string_view substitute;
};

constexpr std::array kNativeHashes = {
    NativeHash{"int2", "hashint4extended({value}, {seed})", "0"},
    NativeHash{"int4", "hashint4extended({value}, {seed})", "0"},
    // hashint8extended folds the two halves into one: -1 would be as 4294967295.
    NativeHash{"int8", "hashint4extended(0, {seed} # {value})", "0"},
    NativeHash{"bool", "hashint4extended({value}::int4, {seed})", "false"},
    NativeHash{"char", "hashcharextended({value}, {seed})", "''"},
    NativeHash{"text", "hashtextextended({value} COLLATE \"C\", {seed})", "''"},
    NativeHash{"varchar", "hashtextextended({value} COLLATE \"C\", {seed})", "''"},
    NativeHash{"uuid", "uuid_hash_extended({value}, {seed})",
               "'00000000-0000-0000-0000-000000000000'::uuid"},
    NativeHash{"timestamp", "timestamp_hash_extended({value}, {seed})", "'epoch'::timestamp"},
    NativeHash{"timestamptz", "timestamp_hash_extended(timezone('0'::interval, {value}), {seed})",
               "'epoch'::timestamptz"},
    // What is not finite has no difference.
    NativeHash{"date",
               "hashint4extended(CASE WHEN isfinite({value}) THEN {value} - '2000-01-01'::date "
               "WHEN {value} > '2000-01-01'::date THEN 2147483647 ELSE -2147483648 END, {seed})",
               "'2000-01-01'::date"},
    NativeHash{"time", "time_hash_extended({value}, {seed})", "'00:00'::time"},
    NativeHash{"bytea", "hash_array_extended(ARRAY[{value}], {seed})", "''::bytea"},
    // By their text; a plain cast is quicker than concat, which all others need: it always writes
    // what the type's own output function says, where a cast may drop blanks or be somebody's own.
    NativeHash{"numeric", "hashtextextended({value}::text COLLATE \"C\", {seed})", "0"},
    NativeHash{"float8", "hashtextextended({value}::text COLLATE \"C\", {seed})", "0"},
    NativeHash{"float4", "hashtextextended({value}::text COLLATE \"C\", {seed})", "0"},
};
// concat takes NULL for nothing.
constexpr NativeHash kTextHash = {"", "hashtextextended(concat({value}) COLLATE \"C\", {seed})",
                                  ""};

// The same text has other bytes in another encoding.
constexpr NativeHash kUtf8Hash = {
    "", "hash_array_extended(ARRAY[convert_to(concat({value}), 'UTF8')], {seed})", ""};

const NativeHash& HashOf(const PlannedColumn& column) {
  const auto* native = std::ranges::find(kNativeHashes, column.base, &NativeHash::base);
  const bool is_other = column.base.empty() || native == kNativeHashes.end();
  const bool is_text = is_other || column.base == "text" || column.base == "varchar";
  if (column.as_utf8 && is_text) return kUtf8Hash;
  return is_other ? kTextHash : *native;
}

std::string Hash(const PlannedColumn& column, const std::string& seed) {
  const NativeHash& hash = HashOf(column);
  std::string value = QuotePostgresName(column.name);
  if (column.may_be_null && !hash.substitute.empty()) {
    value = fmt::format("coalesce({}, {})", value, hash.substitute);
  }
  return fmt::format(fmt::runtime(hash.hash), fmt::arg("value", value), fmt::arg("seed", seed));
}

// An integer that says which of these columns are NULL; empty: none can be.
std::string NullBits(const std::vector<const PlannedColumn*>& nullable, std::size_t from) {
  std::string bits;
  for (std::size_t i = from; i < std::min(nullable.size(), from + kNullBits); ++i) {
    if (!bits.empty()) bits += " + ";
    bits += fmt::format("CASE WHEN {} IS NULL THEN {} ELSE 0 END",
                        QuotePostgresName(nullable[i]->name), 1U << (i - from));
  }
  return bits;
}

std::string RowHash(const std::vector<PlannedColumn>& columns) {
  std::vector<const PlannedColumn*> nullable;
  for (const PlannedColumn& column : columns) {
    if (column.may_be_null) nullable.push_back(&column);
  }
  std::string hash = fmt::format("{}::int8", kSeed);
  for (std::size_t from = 0; from < nullable.size(); from += kNullBits) {
    hash = fmt::format("hashint4extended({}, {})", NullBits(nullable, from), hash);
  }
  for (const PlannedColumn& column : columns) hash = Hash(column, hash);
  return hash;
}

std::string From(const TablePlan& table) {
  // ONLY: what inherits from the table is a table of its own.
  return fmt::format("{}{}.{}", table.is_partitioned ? "" : "ONLY ",
                     QuotePostgresName(table.schema), QuotePostgresName(table.name));
}

std::string KeyColumn(const PlannedKey& part) {
  return QuotePostgresName(part.name) + (part.by_bytes ? " COLLATE \"C\"" : "");
}

// "a", "b"; with `format` around each.
std::string KeyList(const TablePlan& table, std::string_view format = "{}") {
  std::string list;
  for (const PlannedKey& part : table.key) {
    if (!list.empty()) list += ", ";
    list += fmt::format(fmt::runtime(format), KeyColumn(part));
  }
  return list;
}

// $1::bigint, …; adds the parameters.
std::string KeyValues(const TablePlan& table, const Key& key, std::vector<std::string>& out) {
  std::string list;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    out.push_back(key.at(i));
    if (!list.empty()) list += ", ";
    list += fmt::format("${}::{}", out.size(), table.key[i].type);
  }
  return list;
}

// " WHERE …", or nothing.
std::string Where(const TablePlan& table, const KeyRange& range, std::vector<std::string>& out) {
  // A row of one column is not taken for an index's condition by every version.
  const char* open = table.key.size() > 1 ? "ROW(" : "";
  const char* close = table.key.size() > 1 ? ")" : "";
  const std::string columns = fmt::format("{}{}{}", open, KeyList(table), close);
  std::string where;
  if (range.after.has_value()) {
    where = fmt::format(" WHERE {} > {}{}{}", columns, open, KeyValues(table, *range.after, out),
                        close);
  }
  if (range.until.has_value()) {
    where += fmt::format("{}{} <= {}{}{}", where.empty() ? " WHERE " : " AND ", columns, open,
                         KeyValues(table, *range.until, out), close);
  }
  return where;
}

std::string WhereOneOf(const TablePlan& table, const std::vector<Key>& keys,
                       std::vector<std::string>& out) {
  std::string where;
  for (const Key& key : keys) {
    where += where.empty() ? " WHERE (" : " OR (";
    for (std::size_t i = 0; i < table.key.size(); ++i) {
      out.push_back(key.at(i));
      where += fmt::format("{}{} = ${}::{}", i > 0 ? " AND " : "",
                           QuotePostgresName(table.key[i].name), out.size(), table.key[i].type);
    }
    where += ")";
  }
  return where;
}

}  // namespace

std::string QuotePostgresName(std::string_view name) {
  std::string quoted = "\"";
  for (const char letter : name) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

std::string PostgresArray(const std::vector<std::string>& elements) {
  std::string array = "{";
  for (const std::string& element : elements) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char letter : element) {
      if (letter == '"' || letter == '\\') array += '\\';
      array += letter;
    }
    array += '"';
  }
  return array + "}";
}

Statement PostgresChecksum::Settings() const {
  // What the servers write must not depend on where they stand; and what a chunk costs must not
  // depend on how old their statistics are: right after a restore there are none.
  return {.sql =
              "SELECT set_config(name, value, false) FROM (VALUES ('TimeZone', 'UTC'), "
              "('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'), "
              "('extra_float_digits', '1'), ('bytea_output', 'hex'), ('lc_monetary', 'C'), "
              "('enable_seqscan', 'off'), ('enable_sort', 'off'), ('jit', 'off'), "
              "('max_parallel_workers_per_gather', '0'), "
              "('default_transaction_isolation', 'read committed')) AS settings (name, value)",
          .parameters = {}};
}

Statement PostgresChecksum::SumStatement(const TablePlan& table, const KeyRange& range,
                                         std::optional<std::size_t> rows_max) const {
  Statement statement;
  const std::string where = Where(table, range, statement.parameters);
  const std::string hash = RowHash(table.columns);
  if (rows_max.has_value()) {
    statement.sql = fmt::format(
        "SELECT count(*), coalesce(bit_xor(h), 0), {} FROM (SELECT {} AS h FROM {}{} LIMIT {}) AS "
        "cut",
        kBusy, hash, From(table), where, *rows_max);
  } else {
    statement.sql = fmt::format("SELECT count(*), coalesce(bit_xor({}), 0), {} FROM {}{}", hash,
                                kBusy, From(table), where);
  }
  return statement;
}

Statement PostgresChecksum::BoundStatement(const TablePlan& table, const KeyRange& range,
                                           std::size_t rows) const {
  Statement statement;
  const std::string where = Where(table, range, statement.parameters);
  std::string columns;
  std::string texts;
  for (const PlannedKey& part : table.key) {
    columns += (columns.empty() ? "" : ", ") + QuotePostgresName(part.name);
    texts += fmt::format("concat({}), ", QuotePostgresName(part.name));
  }
  // What is written outside is not written for each row that is passed over.
  statement.sql =
      fmt::format("SELECT {}{} FROM (SELECT {} FROM {}{} ORDER BY {} OFFSET {} LIMIT 1) AS last",
                  texts, kBusy, columns, From(table), where, KeyList(table), rows - 1);
  return statement;
}

Statement PostgresChecksum::ListStatement(const TablePlan& table, const KeyRange& range,
                                          std::size_t rows_max) const {
  Statement statement;
  const std::string where = Where(table, range, statement.parameters);
  statement.sql = fmt::format("SELECT {}, {}, xmin FROM {}{} ORDER BY {} LIMIT {}",
                              KeyList(table, "concat({})"), RowHash(table.columns), From(table),
                              where, KeyList(table), rows_max);
  return statement;
}

Statement PostgresChecksum::RowsStatement(const TablePlan& table,
                                          const std::vector<Key>& keys) const {
  Statement statement;
  const std::string where = WhereOneOf(table, keys, statement.parameters);
  statement.sql = fmt::format("SELECT {}, {}, xmin FROM {}{}", KeyList(table, "concat({})"),
                              RowHash(table.columns), From(table), where);
  return statement;
}

Statement PostgresChecksum::ColumnsStatement(const TablePlan& table,
                                             const std::vector<Key>& keys) const {
  Statement statement;
  const std::string where = WhereOneOf(table, keys, statement.parameters);
  std::string hashes;
  for (const PlannedColumn& column : table.columns) hashes += ", " + RowHash({column});
  statement.sql = fmt::format("SELECT {}{} FROM {}{}", KeyList(table, "concat({})"), hashes,
                              From(table), where);
  return statement;
}

}  // namespace headgate::database
