// The shape of a database, object by object, and the differences between two such shapes in words.
// Pure; any thread. Promises: definitions are compared as PostgreSQL itself writes them with
// search_path = pg_catalog; OIDs, owners, members of extensions and the order of columns do not
// count (logical replication maps columns by name).
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/statement.h"

namespace headgate::database {

struct ObjectKey {
  std::string schema;
  // The table, the type, or the function with the types of its arguments.
  std::string relation;
  // "table", "setting" (how a table is stored, guarded and told apart), "column", "constraint",
  // "unique index", "index", "trigger", "replicated trigger", "type", "function"; a table, a type
  // and a function have an empty `name`.
  std::string kind;
  std::string name;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

struct Definition {
  std::string text;
  // The label of the type that a column or a type is made of, where it is not built in.
  std::string uses{};
  // The label of the table that a partition or a child is a part of.
  std::string part_of{};
  // Of a function: labels of the tables and types with a constraint, a generated column, an index
  // or a trigger that fires on replicas which calls it.
  std::set<std::string> used_by{};
};

using Schema = std::map<ObjectKey, Definition>;

// $1 of the statement is an array of schema names; empty: all but the system's.
Statement SchemaStatement(const std::vector<std::string>& schemas);
absl::StatusOr<Schema> ReadSchema(const absl::StatusOr<Rows>& answer);

// By label: the published columns.
using PublishedTables = std::map<std::string, std::set<std::string>>;

// What of a primary's and a logical replica's schema must agree: published tables with their
// published columns, constraints, the indexes that the primary has and unique ones of either side,
// triggers that fire while changes are applied, the types that those columns are made of, and the
// functions that all of these call. Whose part a published table is counts where that table is on
// both sides: else its rows would be missing there. How a table is partitioned otherwise, whether
// row security guards it and what identifies its rows is each side's own: a publisher alone needs
// `REPLICA IDENTITY FULL`, and publish_via_partition_root sends the rows of many partitions to one
// table.
struct ComparedSchemas {
  Schema primary;
  Schema replica;
};
ComparedSchemas ForLogicalReplica(const Schema& primary, const Schema& replica,
                                  const PublishedTables& published);

struct Difference {
  ObjectKey key;
  // nullopt: it does not exist there.
  std::optional<std::string> here;
  std::optional<std::string> on_primary;
  friend bool operator==(const Difference&, const Difference&) = default;
};

// In the order of their keys. Of a table that exists on one side only, its parts are not told.
std::vector<Difference> Compare(const Schema& primary, const Schema& replica);

// "replica db3: table public.orders: column total is integer here, numeric(10,2) on the primary".
std::string Describe(const std::string& replica, const Difference& difference);
// "the primary: table public.orders: column total is integer here, numeric(10,2) in the baseline",
// of `who` and what it was compared with.
std::string Describe(const std::string& who, const Difference& difference,
                     const std::string& there);

}  // namespace headgate::database
