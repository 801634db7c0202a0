// The tables of one server as far as comparing their data needs it. Values; an engine's dialect
// reads them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace headgate::database {

struct ColumnShape {
  std::string name;
  // As the engine writes it, complete: "numeric(10,2)", "int unsigned".
  std::string type;
  // The built-in type that it is made of ("int8"); empty: another.
  std::string base;
  bool may_be_null = true;
  // What the order of its values depends on beside its type; the same text is the same order.
  std::string order;
  friend bool operator==(const ColumnShape&, const ColumnShape&) = default;
};

// Columns that tell any two rows of the table apart, and by which it has an index, in its order.
struct KeyShape {
  std::vector<std::string> columns;
  bool is_primary = false;
  friend bool operator==(const KeyShape&, const KeyShape&) = default;
};

struct TableShape {
  std::string schema;
  std::string name;
  // It has no rows of its own, only its parts have.
  bool is_partitioned = false;
  // By the server's statistics; 0 where it has none.
  double rows_estimated = 0;
  // Why its rows cannot be read; empty: they can.
  std::string obstacle;
  // By name.
  std::map<std::string, ColumnShape> columns;
  // The best first.
  std::vector<KeyShape> keys;
};

// By label.
using TableShapes = std::map<std::string, TableShape>;

// What a publication sends of one table.
struct PublishedTable {
  std::set<std::string> columns;
  // Why the replica's rows may differ from the primary's and be right; empty: they may not.
  std::string exception;
};

struct ServerTables {
  TableShapes shapes;
  // How it stores text; empty: each column says so.
  std::string encoding;
  // Why there may be tables that we are not shown; empty: there are none.
  std::string blindness;
  // Of a primary: by publication, then by table.
  std::map<std::string, std::map<std::string, PublishedTable>> published;
  // Of a logical replica: what it subscribes to, and which of the tables have been copied.
  std::set<std::string> publications;
  std::map<std::string, bool> subscribed_is_ready;
};

}  // namespace headgate::database
