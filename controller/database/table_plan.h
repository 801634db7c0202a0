// Which tables are compared, with which replicas and columns, and which cannot be. Pure; any
// thread. Promises: a table that one may expect to be compared is either in a plan with each
// replica, or has a reason why not.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/inventory.h"
#include "controller/database/label.h"
#include "controller/database/table_shape.h"

namespace headgate::database {

struct PlannedColumn {
  std::string name;
  // Empty: its values are compared as the text that the server writes, because the servers' types
  // differ or the engine compares them otherwise.
  std::string base;
  bool may_be_null = true;
  // The servers store text in different encodings: it is compared in one.
  bool as_utf8 = false;
  friend bool operator==(const PlannedColumn&, const PlannedColumn&) = default;
};

struct PlannedKey {
  std::string name;
  std::string type;
  // The servers sort its values differently: they are compared by their bytes.
  bool by_bytes = false;
  friend bool operator==(const PlannedKey&, const PlannedKey&) = default;
};

// One walk through one table.
struct TablePlan {
  std::string schema;
  std::string name;
  bool is_partitioned = false;
  double rows_estimated = 0;
  // In an order that no server's own matters for.
  std::vector<PlannedColumn> columns;
  std::vector<PlannedKey> key;
  bool is_primary_key = false;
  // Names of replicas.
  std::vector<std::string> replicas;

  std::string Label() const { return LabelOf(schema, name); }
  // Which table, with which replicas: what a kept state knows it by.
  std::string Id() const;
  // No index is in this order.
  bool IsUnindexed() const;
};

struct TableSelection {
  std::vector<TablePlan> plans;
  // UNKNOWN each, of kind "data".
  std::vector<Finding> left_out;
};

// `wanted`: "schema.table", also as a label, or "table"; empty: all. Servers that could not be read
// are in none of the maps and have been told of already.
TableSelection SelectTables(const ServerTables& primary,
                            const std::map<std::string, ServerTables>& replicas,
                            const std::vector<Replica>& declared,
                            const std::vector<std::string>& wanted);

}  // namespace headgate::database
