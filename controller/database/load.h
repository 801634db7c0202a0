// What a look reads of a server's load and of its damaged pages: the statement, and its answer as a
// value. Pure; any thread. A failed or unreadable answer is a Status, never a value that looks
// healthy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/database/statement.h"

namespace headgate::database {

// Since the server's statistics were last reset.
struct LoadCounters {
  std::uint64_t commits = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t deadlocks = 0;
  std::uint64_t blocks_hit = 0;
  std::uint64_t blocks_read = 0;
  // Of every database of the server.
  std::uint64_t checksum_failures = 0;
  // What transactions have waited for row locks in all; MariaDB's alone.
  std::uint64_t lock_time_ms = 0;
};

struct LoadObservation {
  std::uint64_t connections = 0;
  // Those that ordinary roles may have.
  std::uint64_t connections_max = 0;
  // Unset: nobody has a transaction open, waits for a lock.
  std::optional<Duration> longest_transaction;
  std::optional<Duration> longest_wait;
  // "app of shop (pid 4711, idle in transaction)".
  std::string longest_by;
  std::uint64_t waiting = 0;
  LoadCounters counters;
  // "shop, template1"; of those with failures.
  std::string damaged;
  std::string last_damage;
  // Off: nobody notices a damaged page.
  bool has_checksums = false;
  // "needs PROCESS: its lock waits … are unknown: run GRANT …"; empty: it was seen whole.
  std::string unknown{};
};

// One row. Ours are no load: sessions named headgate are left out of all but the connections.
Statement LoadStatement();
absl::StatusOr<LoadObservation> ReadLoad(const absl::StatusOr<Rows>& answer);

// How many backends work for a client this moment, as one number.
Statement ActiveStatement();
std::optional<std::int64_t> ReadActive(const absl::StatusOr<Rows>& answer);

}  // namespace headgate::database
