#include "controller/database/maria_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "controller/database/maria_grants.h"

namespace headgate::database {
namespace {

constexpr std::array<std::string_view, 8> kCounters = {"THREADS_CONNECTED",
                                                       "INNODB_DEADLOCKS",
                                                       "HANDLER_COMMIT",
                                                       "HANDLER_ROLLBACK",
                                                       "INNODB_BUFFER_POOL_READ_REQUESTS",
                                                       "INNODB_BUFFER_POOL_READS",
                                                       "INNODB_ROW_LOCK_TIME",
                                                       "INNODB_ROW_LOCK_CURRENT_WAITS"};

// InnoDB tells times as the server's own clock shows them: its zone is the one to read them in.
constexpr std::string_view kTransactionsSql = R"(
SET STATEMENT time_zone = 'SYSTEM' FOR
WITH open AS (
  SELECT t.trx_mysql_thread_id AS thread, t.trx_state AS state,
    CAST((UNIX_TIMESTAMP(NOW(6)) - UNIX_TIMESTAMP(t.trx_started)) * 1000 AS SIGNED) AS age,
    CAST((UNIX_TIMESTAMP(NOW(6)) - UNIX_TIMESTAMP(t.trx_wait_started)) * 1000 AS SIGNED) AS wait,
    CONCAT(COALESCE(p.USER, 'nobody'), ' of ', COALESCE(p.DB, 'no database'), ' (thread ',
      t.trx_mysql_thread_id, COALESCE(CONCAT(', ', LOWER(p.COMMAND)), ''), ')') AS who
  FROM information_schema.INNODB_TRX AS t
  LEFT JOIN information_schema.PROCESSLIST AS p ON p.ID = t.trx_mysql_thread_id
  WHERE t.trx_mysql_thread_id <> CONNECTION_ID()
), waits AS (
  SELECT wait FROM open WHERE state = 'LOCK WAIT'
  UNION ALL
  SELECT CAST(TIME_MS AS SIGNED) FROM information_schema.PROCESSLIST
  WHERE STATE LIKE 'Waiting for % lock' OR STATE LIKE 'Waiting for table flush'
)
SELECT (SELECT age FROM open ORDER BY age DESC LIMIT 1),
  (SELECT who FROM open ORDER BY age DESC LIMIT 1),
  (SELECT COUNT(*) FROM waits), (SELECT MAX(wait) FROM waits))";

std::optional<std::uint64_t> ToNumber(const std::optional<std::string>& cell) {
  if (!cell.has_value()) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), number);
  if (error != std::errc() || end != cell->data() + cell->size()) return std::nullopt;
  return number;
}

// A clock that was set back gives a negative age: that is none. nullopt: it is no number.
std::optional<Duration> ToAge(const std::string& cell) {
  if (cell.starts_with('-')) return Duration(0);
  const auto milliseconds = ToNumber(cell);
  if (!milliseconds.has_value()) return std::nullopt;
  return Duration(static_cast<std::int64_t>(*milliseconds));
}

absl::Status Unreadable() {
  return absl::UnknownError("its answer about its load cannot be understood");
}

absl::Status ReadTransactions(const Rows& rows, LoadObservation& seen) {
  if (rows.size() != 1 || rows.front().size() != 4) return Unreadable();
  const Row& row = rows.front();
  const auto waiting = ToNumber(row[2]);
  if (!waiting.has_value()) return Unreadable();
  seen.waiting = *waiting;
  if (row[0].has_value()) {
    seen.longest_transaction = ToAge(*row[0]);
    if (!seen.longest_transaction.has_value()) return Unreadable();
  }
  if (row[3].has_value()) {
    seen.longest_wait = ToAge(*row[3]);
    if (!seen.longest_wait.has_value()) return Unreadable();
  }
  seen.longest_by = row[1].value_or("");
  return absl::OkStatus();
}

}  // namespace

std::vector<Statement> MariaLoadStatements() {
  std::string names;
  for (const std::string_view name : kCounters) {
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
  }
  return {{.sql = fmt::format("SELECT VARIABLE_NAME, VARIABLE_VALUE FROM "
                              "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ({}) "
                              "UNION ALL SELECT 'MAX_CONNECTIONS', @@global.max_connections "
                              "UNION ALL SELECT 'USER', CURRENT_USER()",
                              names),
           .parameters = {}},
          {.sql = std::string(kTransactionsSql), .parameters = {}}};
}

absl::StatusOr<LoadObservation> ReadMariaLoad(const absl::StatusOr<Rows>& counters,
                                              const absl::StatusOr<Rows>& transactions) {
  if (!counters.ok()) return counters.status();
  std::map<std::string, std::optional<std::string>, std::less<>> told;
  for (const Row& row : *counters) {
    if (row.size() == 2) told[row[0].value_or("")] = row[1];
  }
  bool is_whole = true;
  const auto count = [&](const char* name) {
    const auto number = ToNumber(told[name]);
    is_whole = is_whole && number.has_value();
    return number.value_or(0);
  };
  const std::uint64_t requests = count("INNODB_BUFFER_POOL_READ_REQUESTS");
  const std::uint64_t reads = count("INNODB_BUFFER_POOL_READS");
  LoadObservation seen{.connections = count("THREADS_CONNECTED"),
                       .connections_max = count("MAX_CONNECTIONS"),
                       .longest_transaction = {},
                       .longest_wait = {},
                       .longest_by = "",
                       .waiting = count("INNODB_ROW_LOCK_CURRENT_WAITS"),
                       .counters = {.commits = count("HANDLER_COMMIT"),
                                    .rollbacks = count("HANDLER_ROLLBACK"),
                                    .deadlocks = count("INNODB_DEADLOCKS"),
                                    .blocks_hit = requests - std::min(requests, reads),
                                    .blocks_read = reads,
                                    .checksum_failures = 0,
                                    .lock_time_ms = count("INNODB_ROW_LOCK_TIME")},
                       .damaged = "",
                       .last_damage = "",
                       // InnoDB's pages have them; nobody counts those that fail.
                       .has_checksums = true};
  if (!is_whole || seen.connections_max == 0) return Unreadable();
  if (absl::IsPermissionDenied(transactions.status())) {
    seen.unknown = fmt::format(
        "needs PROCESS: its lock waits and its longest transaction are unknown: run GRANT PROCESS "
        "ON *.* TO {} there",
        MariaAccount(told["USER"].value_or("")));
    return seen;
  }
  if (!transactions.ok()) return transactions.status();
  if (absl::Status status = ReadTransactions(*transactions, seen); !status.ok()) return status;
  return seen;
}

Statement MariaActiveStatement() {
  return {
      .sql = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slaves_connected', 'Threads_running')",
      .parameters = {}};
}

std::optional<std::int64_t> ReadMariaActive(const absl::StatusOr<Rows>& answer) {
  if (!answer.ok() || answer->size() != 2) return std::nullopt;
  std::map<std::string, std::optional<std::string>, std::less<>> told;
  for (const Row& row : *answer) {
    if (row.size() == 2) told[row[0].value_or("")] = row[1];
  }
  const auto running = ToNumber(told["Threads_running"]);
  const auto fed = ToNumber(told["Slaves_connected"]);
  if (!running.has_value() || !fed.has_value()) return std::nullopt;
  // Each thread that feeds a replica runs all the time; and one asks this.
  const auto active = static_cast<std::int64_t>(*running) - static_cast<std::int64_t>(*fed) - 1;
  return std::max<std::int64_t>(0, active);
}

}  // namespace headgate::database
