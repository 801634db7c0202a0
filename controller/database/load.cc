#include "controller/database/load.h"

#include <charconv>
#include <string_view>

namespace headgate::database {
namespace {

constexpr std::string_view kLoadSql = R"(
WITH others AS (
  SELECT pid, state, xact_start, usename, application_name FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND application_name <> 'headgate'
), open AS (
  SELECT xact_start AS since,
    format('%s of %s (pid %s, %s)', coalesce(nullif(application_name, ''), 'a client'), usename, pid,
           state) AS who
  FROM others WHERE xact_start IS NOT NULL
  UNION ALL
  SELECT prepared, format('the prepared transaction %L of %s', gid, owner) FROM pg_prepared_xacts
  WHERE database = current_database()
), longest AS (SELECT since, who FROM open ORDER BY since LIMIT 1
), waits AS (SELECT count(*) AS waiting, min(waitstart) AS since FROM pg_locks WHERE NOT granted
), damage AS (
  SELECT coalesce(sum(checksum_failures), 0) AS failures, max(checksum_last_failure) AS last,
    string_agg(coalesce(datname::text, 'shared tables'), ', ') FILTER (WHERE checksum_failures > 0)
      AS databases
  FROM pg_stat_database
)
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int,
  (SELECT (extract(epoch FROM clock_timestamp() - since) * 1000)::bigint FROM longest),
  (SELECT who FROM longest), waits.waiting,
  (extract(epoch FROM clock_timestamp() - waits.since) * 1000)::bigint,
  d.xact_commit, d.xact_rollback, d.deadlocks, d.blks_hit, d.blks_read,
  damage.failures, coalesce(damage.databases, ''), coalesce(damage.last::text, ''),
  current_setting('data_checksums')
FROM pg_stat_database AS d, waits, damage WHERE d.datname = current_database())";

class Cells {
 public:
  explicit Cells(const Row& row) : row_(row) {}

  std::uint64_t Count(std::size_t column) {
    const auto number = Number(column);
    is_readable_ = is_readable_ && number.has_value();
    return number.value_or(0);
  }
  // A clock that was set back gives a negative age: that is none.
  std::optional<Duration> Age(std::size_t column) {
    if (!row_[column].has_value()) return std::nullopt;
    if (row_[column]->starts_with('-')) return Duration(0);
    return Duration(static_cast<std::int64_t>(Count(column)));
  }
  std::string Text(std::size_t column) const { return row_[column].value_or(""); }
  bool is_readable() const { return is_readable_; }

 private:
  std::optional<std::uint64_t> Number(std::size_t column) const {
    const std::string text = Text(column);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
      return std::nullopt;
    }
    return number;
  }

  const Row& row_;
  bool is_readable_ = true;
};

}  // namespace

Statement LoadStatement() { return {.sql = std::string(kLoadSql), .parameters = {}}; }

absl::StatusOr<LoadObservation> ReadLoad(const absl::StatusOr<Rows>& answer) {
  if (!answer.ok()) return answer.status();
  const absl::Status unreadable =
      absl::UnknownError("its answer about its load cannot be understood");
  if (answer->size() != 1 || answer->front().size() != 15) return unreadable;
  Cells cells(answer->front());
  const LoadObservation seen{.connections = cells.Count(0),
                             .connections_max = cells.Count(1),
                             .longest_transaction = cells.Age(2),
                             .longest_wait = cells.Age(5),
                             .longest_by = cells.Text(3),
                             .waiting = cells.Count(4),
                             .counters = {.commits = cells.Count(6),
                                          .rollbacks = cells.Count(7),
                                          .deadlocks = cells.Count(8),
                                          .blocks_hit = cells.Count(9),
                                          .blocks_read = cells.Count(10),
                                          .checksum_failures = cells.Count(11)},
                             .damaged = cells.Text(12),
                             .last_damage = cells.Text(13),
                             .has_checksums = cells.Text(14) == "on"};
  if (!cells.is_readable() || seen.connections_max == 0) return unreadable;
  return seen;
}

Statement ActiveStatement() {
  return {.sql =
              "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
              "AND state = 'active' AND application_name <> 'headgate'",
          .parameters = {}};
}

std::optional<std::int64_t> ReadActive(const absl::StatusOr<Rows>& answer) {
  if (!answer.ok() || answer->size() != 1 || answer->front().size() != 1) return std::nullopt;
  Cells cells(answer->front());
  const std::uint64_t active = cells.Count(0);
  if (!cells.is_readable()) return std::nullopt;
  return static_cast<std::int64_t>(active);
}

}  // namespace headgate::database
