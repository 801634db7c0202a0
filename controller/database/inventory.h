// A declared inventory of database servers and what a look at them found. Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/bounds.h"

namespace headgate::database {

enum class Engine { kPostgres, kMariadb };

// Of PostgreSQL's; MariaDB's have none.
enum class ReplicaKind { kPhysical, kLogical };

struct Replica {
  std::string name;
  // Connection string, as the engine's session reads it; empty allowed only if out.
  std::string dsn;
  ReplicaKind kind = ReplicaKind::kPhysical;
  // Declared as taken out: FAILED if the primary still feeds it.
  bool out = false;
  friend bool operator==(const Replica&, const Replica&) = default;
};

// What a baseline comes to: see expected_schema.h.
struct ExpectedSchema {
  // The baseline, as the plan names it: "schema.baseline". For people.
  std::string file{};
  // Of all of it.
  std::string fingerprint{};
  // "table public.orders" -> a number that changes with its definition; empty: there were too many
  // to send along.
  std::map<std::string, std::uint32_t> tables{};
  friend bool operator==(const ExpectedSchema&, const ExpectedSchema&) = default;
};

struct Inventory {
  std::string name;
  Engine engine = Engine::kPostgres;
  std::string primary_dsn;
  std::vector<Replica> replicas;
  // Empty: all but the system's.
  std::vector<std::string> schemas;
  Duration lag_soft{1'000};
  Duration lag_hard{5'000};
  Bounds bounds{};
  // Patterns of differences that are told and do not count: see allowance.h.
  std::vector<std::string> allow{};
  // Whether each look counts the primary's active backends.
  bool counts_active = false;
  // What the primary's schema must be, besides being that of its replicas.
  std::optional<ExpectedSchema> expected{};
  friend bool operator==(const Inventory&, const Inventory&) = default;
};

// Ordered by badness; a report's verdict is the worst of its findings, HEALTHY without any.
enum class Severity { kDegraded, kUnknown, kFailed };

struct Finding {
  Severity severity = Severity::kUnknown;
  // Proven drift or divergence: the reaction is to drain, whatever the plan says of other failures.
  bool drains = false;
  // "unreachable", "lag", "schema", "not_streaming", "wrong_role", "still_in_use", …
  std::string kind;
  std::string server;
  // "public.orders", where it tells of one table or type.
  std::string table{};
  // For people, complete: "replica db2: table public.orders: column total is numeric(10,2) here,
  // integer on the primary".
  std::string text;
  friend bool operator==(const Finding&, const Finding&) = default;
};

// How far the comparison of the rows is.
struct DataStanding {
  // Under way; empty: it rests.
  std::string table{};
  // Of the round under way, or of the newest one; `tables` is 0 until they are known.
  std::size_t tables_done = 0;
  std::size_t tables = 0;
  std::uint64_t rows_done = 0;
  // By the primary's statistics, in all; never below `rows_done`.
  std::uint64_t rows_estimated = 0;
  // When the newest round ended that compared every table that can be, with every replica in use,
  // on the clock of looks; and how long it took.
  std::optional<TimePoint> whole_at{};
  Duration whole_took{0};
  friend bool operator==(const DataStanding&, const DataStanding&) = default;
};

struct Report {
  std::vector<Finding> findings;
  TimePoint observed_at;
  // The largest lag over replicas that are in use.
  Duration lag{0};
  // For people; they change no verdict.
  std::vector<std::string> notes{};
  // Of the primary, where the inventory asks for them and they could be counted.
  std::optional<std::int64_t> active_backends{};
  // What has not been compared yet, and keeps users out who are not in; empty: nothing.
  std::string pending{};
  // How far the comparison of rows is, also in words; unset: they are not compared.
  std::optional<DataStanding> data{};
  std::string progress{};
};

}  // namespace headgate::database
