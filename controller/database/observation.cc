#include "controller/database/observation.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace headgate::database {
namespace {

// An LSN as a decimal number of bytes.
std::string Bytes(std::string_view lsn) { return fmt::format("({} - '0/0'::pg_lsn)::text", lsn); }

Statement IdentityStatement() {
  // A standby's timeline is that of what it receives: its control file follows only at a
  // restartpoint.
  return {
      .sql = fmt::format(
          "SELECT current_setting('server_version_num'), pg_is_in_recovery(), "
          "(SELECT system_identifier FROM pg_control_system()), "
          "extract(epoch FROM pg_postmaster_start_time())::text, current_user::text, "
          "pg_has_role('pg_monitor', 'USAGE'), "
          "CASE WHEN pg_is_in_recovery() THEN {} ELSE {} END, "
          "CASE WHEN pg_is_in_recovery() "
          "THEN coalesce((SELECT received_tli FROM pg_stat_get_wal_receiver()), 0) "
          "ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END, "
          "current_database()::text",
          Bytes("pg_last_wal_replay_lsn()"), Bytes("pg_current_wal_flush_lsn()")),
      .parameters = {}};
}

std::string Text(const Row& row, std::size_t column) {
  return column < row.size() ? row[column].value_or("") : "";
}

bool IsTrue(const Row& row, std::size_t column) { return Text(row, column) == "t"; }

std::optional<std::int64_t> Number(const Row& row, std::size_t column) {
  const std::string text = Text(row, column);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> Position(const Row& row, std::size_t column) {
  return column < row.size() ? ToPosition(row[column]) : std::nullopt;
}

absl::Status FirstFailure(const Answers& answers, std::size_t expected) {
  if (answers.size() != expected) return absl::UnknownError("it was not asked");
  for (const auto& answer : answers) {
    if (!answer.ok()) return answer.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<Identity> ReadIdentity(const Rows& rows) {
  const absl::Status unreadable =
      absl::UnknownError("its answer about its identity cannot be understood");
  if (rows.size() != 1 || rows[0].size() != 9) return unreadable;
  const Row& row = rows[0];
  const auto version = Number(row, 0);
  const auto timeline = Number(row, 7);
  if (!version || !timeline || !row[1] || !row[2] || !row[3] || !row[5]) return unreadable;
  return Identity{.version = *version,
                  .in_recovery = IsTrue(row, 1),
                  .system_identifier = *row[2],
                  .started_at = *row[3],
                  .user = Text(row, 4),
                  .database = Text(row, 8),
                  .may_monitor = IsTrue(row, 5),
                  .position = ToPosition(row[6]),
                  .timeline = *timeline};
}

}  // namespace

std::optional<std::uint64_t> ToPosition(const std::optional<std::string>& cell) {
  if (!cell || cell->empty()) return std::nullopt;
  std::uint64_t position = 0;
  const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), position);
  if (error != std::errc() || end != cell->data() + cell->size()) return std::nullopt;
  return position;
}

std::vector<Statement> PrimaryStatements() {
  return {IdentityStatement(),
          // Copies of tables and backups are no replicas.
          {.sql = fmt::format(
               "SELECT r.application_name, "
               "coalesce(host(r.client_addr) || ':' || r.client_port, 'a local socket'), "
               "coalesce(s.slot_name::text, ''), coalesce(s.slot_type = 'logical', false), {} "
               "FROM pg_stat_replication AS r LEFT JOIN pg_replication_slots AS s "
               "ON s.active_pid = r.pid WHERE r.state IS DISTINCT FROM 'backup' "
               "AND r.application_name !~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$' "
               "AND (NOT coalesce(s.temporary, false) OR s.slot_name ~ '^pg_walreceiver_')",
               Bytes("r.replay_lsn")),
           .parameters = {}},
          {.sql = fmt::format("SELECT slot_name::text, active, coalesce(wal_status, ''), {} "
                              "FROM pg_replication_slots WHERE NOT temporary",
                              Bytes("confirmed_flush_lsn")),
           .parameters = {}}};
}

std::vector<Statement> PhysicalStatements() {
  return {IdentityStatement(),
          {.sql = "SELECT status FROM pg_stat_wal_receiver", .parameters = {}},
          {.sql = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END",
           .parameters = {}}};
}

std::vector<Statement> LogicalStatements() {
  // leader_pid came with PostgreSQL 16: workers that help another are not the one we look for.
  return {IdentityStatement(),
          {.sql = fmt::format(
               "SELECT s.subname::text, s.subenabled, coalesce(s.subslotname::text, ''), "
               "w.pid IS NOT NULL, {}, "
               "(SELECT count(*) FROM pg_subscription_rel WHERE srsubid = s.oid), "
               "(SELECT string_agg(srrelid::regclass::text, ', ') FROM "
               "(SELECT srrelid FROM pg_subscription_rel WHERE srsubid = s.oid "
               "AND srsubstate <> 'r' ORDER BY srrelid LIMIT 5) AS unready), "
               "(SELECT coalesce(sum(apply_error_count + sync_error_count), 0)::bigint "
               "FROM pg_stat_subscription_stats WHERE subid = s.oid) "
               "FROM pg_subscription AS s LEFT JOIN pg_stat_subscription AS w "
               "ON w.subid = s.oid AND w.relid IS NULL AND w.pid IS NOT NULL "
               "AND to_jsonb(w) ->> 'leader_pid' IS NULL "
               "WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
               Bytes("w.received_lsn")),
           .parameters = {}}};
}

absl::StatusOr<PrimaryObservation> ReadPrimary(const Answers& answers) {
  if (const absl::Status status = FirstFailure(answers, 3); !status.ok()) return status;
  const auto identity = ReadIdentity(*answers[0]);
  if (!identity.ok()) return identity.status();
  PrimaryObservation seen{.identity = *identity, .walsenders = {}, .slots = {}};
  for (const Row& row : *answers[1]) {
    seen.walsenders.push_back({.application_name = Text(row, 0),
                               .client = Text(row, 1),
                               .slot = Text(row, 2),
                               .is_logical = IsTrue(row, 3),
                               .replayed = Position(row, 4)});
  }
  for (const Row& row : *answers[2]) {
    seen.slots.push_back({.name = Text(row, 0),
                          .is_active = IsTrue(row, 1),
                          .wal_status = Text(row, 2),
                          .confirmed = Position(row, 3)});
  }
  return seen;
}

absl::StatusOr<PhysicalObservation> ReadPhysical(const Answers& answers) {
  if (const absl::Status status = FirstFailure(answers, 3); !status.ok()) return status;
  const auto identity = ReadIdentity(*answers[0]);
  if (!identity.ok()) return identity.status();
  PhysicalObservation seen{.identity = *identity, .receiver = "", .pause = ""};
  if (!answers[1]->empty()) seen.receiver = Text(answers[1]->front(), 0);
  if (!answers[2]->empty()) seen.pause = Text(answers[2]->front(), 0);
  return seen;
}

absl::StatusOr<LogicalObservation> ReadLogical(const Answers& answers) {
  if (const absl::Status status = FirstFailure(answers, 2); !status.ok()) return status;
  const auto identity = ReadIdentity(*answers[0]);
  if (!identity.ok()) return identity.status();
  LogicalObservation seen{.identity = *identity, .subscriptions = {}};
  for (const Row& row : *answers[1]) {
    const auto tables = Number(row, 5);
    const auto errors = Number(row, 7);
    if (!tables || !errors) {
      return absl::UnknownError("its answer about its subscriptions cannot be understood");
    }
    seen.subscriptions.push_back({.name = Text(row, 0),
                                  .is_enabled = IsTrue(row, 1),
                                  .slot = Text(row, 2),
                                  .has_worker = IsTrue(row, 3),
                                  .received = Position(row, 4),
                                  .tables = *tables,
                                  .tables_not_ready = Text(row, 6),
                                  .errors = *errors});
  }
  return seen;
}

}  // namespace headgate::database
