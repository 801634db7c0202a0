#include "controller/database/table_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace headgate::database {
namespace {

// As one writes it who thinks of no other.
std::string Joined(const TableShape& shape) { return shape.schema + "." + shape.name; }

bool IsWanted(const std::string& label, const TableShape& shape,
              const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
    return name == label || name == shape.name || name == Joined(shape);
  });
}

// What a logical replica is sent of one table.
std::optional<PublishedTable> PublishedTo(const ServerTables& replica, const ServerTables& primary,
                                          const std::string& label) {
  std::optional<PublishedTable> sent;
  for (const std::string& publication : replica.publications) {
    const auto tables = primary.published.find(publication);
    if (tables == primary.published.end()) continue;
    const auto found = tables->second.find(label);
    if (found == tables->second.end()) continue;
    if (!sent.has_value()) {
      sent = found->second;
      continue;
    }
    sent->columns.insert(found->second.columns.begin(), found->second.columns.end());
    // What one publication leaves out, the other sends.
    if (found->second.exception.empty()) sent->exception.clear();
  }
  return sent;
}

class Selector {
 public:
  Selector(const ServerTables& primary, const std::map<std::string, ServerTables>& replicas)
      : primary_(primary), replicas_(replicas) {}

  void Add(const std::string& label, const TableShape& shape,
           const std::vector<Replica>& declared) {
    for (const Replica& replica : declared) {
      const auto tables = replicas_.find(replica.name);
      if (replica.out || tables == replicas_.end()) continue;
      AddFor(replica, tables->second, label, shape);
    }
  }

  TableSelection Take() { return std::move(selection_); }

 private:
  void Leave(const std::string& server, const std::string& table, const std::string& why) {
    const std::string who = server == "primary" ? "the primary" : "replica " + server;
    selection_.left_out.push_back(
        {.severity = Severity::kUnknown,
         .drains = false,
         .kind = "data",
         .server = server,
         .table = table,
         .text = fmt::format("{}: table {} was not compared: {}", who, table, why)});
  }

  // What keeps the primary from being read is told once, and not for each replica.
  void LeaveOnce(const std::string& server, const std::string& table, const std::string& why) {
    const auto& told = selection_.left_out;
    const bool is_told = std::any_of(told.begin(), told.end(), [&](const Finding& finding) {
      return finding.server == server && finding.table == table;
    });
    if (!is_told) Leave(server, table, why);
  }

  void AddFor(const Replica& replica, const ServerTables& tables, const std::string& label,
              const TableShape& shape) {
    const auto refuse = [&](const std::string& why) { Leave(replica.name, label, why); };
    std::optional<PublishedTable> sent;
    if (replica.kind == ReplicaKind::kLogical) {
      sent = PublishedTo(tables, primary_, label);
      if (!sent.has_value()) return;  // Not its business; the fingerprint tells of coverage.
    } else if (shape.is_partitioned) {
      return;  // Its parts are compared.
    }
    if (!shape.obstacle.empty()) return LeaveOnce("primary", label, shape.obstacle);
    const auto here = tables.shapes.find(label);
    if (here == tables.shapes.end()) return refuse("the replica does not have it");
    if (!here->second.obstacle.empty()) return refuse(here->second.obstacle);
    if (sent.has_value()) {
      if (!sent->exception.empty()) return refuse(sent->exception);
      const auto ready = tables.subscribed_is_ready.find(label);
      if (ready == tables.subscribed_is_ready.end()) {
        return refuse("it is published, but the replica has not subscribed to it");
      }
      if (!ready->second) return refuse("its first copy is not finished");
    }
    const bool is_same_encoding = primary_.encoding == tables.encoding;
    const std::optional<KeyShape> key = CommonKey(shape, here->second, sent);
    if (!key.has_value()) {
      return refuse(shape.keys.empty()
                        ? "it has no primary key and no unique index over columns that are NOT "
                          "NULL, so its rows cannot be told apart"
                        : "the replica has no index like the primary's key");
    }
    if (!is_same_encoding && !SortsAlike(primary_.encoding, tables.encoding) &&
        IsOfText(*key, shape)) {
      return refuse(
          fmt::format("its key is text, which the primary stores as {} and the replica as "
                      "{}: it has no order in common",
                      primary_.encoding, tables.encoding));
    }
    TablePlan plan = PlanOf(shape, here->second, *key, sent);
    for (PlannedColumn& column : plan.columns) column.as_utf8 = !is_same_encoding;
    Join(replica.name, std::move(plan));
  }

  // By its bytes, text is in the order of its code points in either.
  static bool SortsAlike(const std::string& one, const std::string& other) {
    const auto is_of_code_points = [](const std::string& encoding) {
      return encoding == "UTF8" || encoding == "LATIN1";
    };
    return is_of_code_points(one) && is_of_code_points(other);
  }

  static bool IsOfText(const KeyShape& key, const TableShape& shape) {
    return std::ranges::any_of(key.columns, [&](const std::string& name) {
      return !shape.columns.at(name).order.empty();
    });
  }

  static std::optional<KeyShape> CommonKey(const TableShape& primary, const TableShape& replica,
                                           const std::optional<PublishedTable>& sent) {
    for (const KeyShape& key : primary.keys) {
      const bool is_sent =
          !sent.has_value() || std::ranges::all_of(key.columns, [&](const std::string& column) {
            return sent->columns.contains(column);
          });
      if (is_sent && std::ranges::find(replica.keys, key) != replica.keys.end()) return key;
    }
    return std::nullopt;
  }

  static TablePlan PlanOf(const TableShape& primary, const TableShape& replica, const KeyShape& key,
                          const std::optional<PublishedTable>& sent) {
    TablePlan plan{.schema = primary.schema,
                   .name = primary.name,
                   .is_partitioned = primary.is_partitioned,
                   .rows_estimated = primary.rows_estimated,
                   .columns = {},
                   .key = {},
                   .is_primary_key = key.is_primary,
                   .replicas = {}};
    for (const auto& [name, column] : primary.columns) {
      const auto here = replica.columns.find(name);
      // A column that one side lacks is a difference of schema.
      if (here == replica.columns.end()) continue;
      if (sent.has_value() && !sent->columns.contains(name)) continue;
      const bool is_same_type = column.base == here->second.base;
      plan.columns.push_back({.name = name,
                              .base = is_same_type ? column.base : "",
                              .may_be_null = column.may_be_null || here->second.may_be_null});
    }
    for (const std::string& name : key.columns) {
      const ColumnShape& column = primary.columns.at(name);
      plan.key.push_back({.name = name,
                          .type = column.type,
                          .by_bytes = column.order != replica.columns.at(name).order});
    }
    return plan;
  }

  // Replicas that are asked the same are asked together.
  void Join(const std::string& replica, TablePlan plan) {
    for (TablePlan& other : selection_.plans) {
      if (other.Label() != plan.Label() || other.columns != plan.columns || other.key != plan.key ||
          other.is_partitioned != plan.is_partitioned) {
        continue;
      }
      other.replicas.push_back(replica);
      return;
    }
    plan.replicas = {replica};
    selection_.plans.push_back(std::move(plan));
  }

  const ServerTables& primary_;
  const std::map<std::string, ServerTables>& replicas_;
  TableSelection selection_;
};

}  // namespace

std::string TablePlan::Id() const {
  std::string id = Label();
  for (const std::string& replica : replicas) id += " " + replica;
  return id;
}

bool TablePlan::IsUnindexed() const {
  return std::any_of(key.begin(), key.end(), [](const PlannedKey& part) { return part.by_bytes; });
}

TableSelection SelectTables(const ServerTables& primary,
                            const std::map<std::string, ServerTables>& replicas,
                            const std::vector<Replica>& declared,
                            const std::vector<std::string>& wanted) {
  Selector selector(primary, replicas);
  std::set<std::string> unknown(wanted.begin(), wanted.end());
  for (const auto& [label, shape] : primary.shapes) {
    if (!IsWanted(label, shape, wanted)) continue;
    unknown.erase(label);
    unknown.erase(shape.name);
    unknown.erase(Joined(shape));
    selector.Add(label, shape, declared);
  }
  TableSelection selection = selector.Take();
  if (!primary.blindness.empty()) {
    selection.left_out.push_back({.severity = Severity::kUnknown,
                                  .drains = false,
                                  .kind = "data",
                                  .server = "primary",
                                  .text = "the primary: " + primary.blindness});
  }
  for (const std::string& name : unknown) {
    selection.left_out.push_back(
        {.severity = Severity::kUnknown,
         .drains = false,
         .kind = "data",
         .server = "primary",
         .text = fmt::format("the primary: table {} was not compared: there is none", name)});
  }
  return selection;
}

}  // namespace headgate::database
