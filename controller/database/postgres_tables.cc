// PostgreSQL's dialect: which tables there are, and how far a replica has come.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "controller/database/label.h"
#include "controller/database/observation.h"
#include "controller/database/postgres_checksum.h"
#include "controller/database/wal_position.h"

namespace headgate::database {
namespace {

// $1 is an array of schema names; empty: all but the system's. One row per column.
constexpr std::string_view kColumnsSql = R"(
WITH watched AS (
  SELECT oid, nspname::text AS schema FROM pg_namespace
  WHERE CASE WHEN $1::text[] = '{}' THEN nspname !~ '^pg_' AND nspname <> 'information_schema'
             ELSE nspname = ANY ($1::text[]) END
), locale AS (
  SELECT concat_ws(':', d.datlocprovider, d.datcollate,
                   coalesce(to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale'),
                   pg_database_collation_actual_version(d.oid)) AS sorting
  FROM pg_database AS d WHERE d.datname = current_database()
)
SELECT w.schema, c.relname::text, c.relkind = 'p', greatest(c.reltuples, 0)::bigint,
  CASE WHEN NOT has_schema_privilege(w.oid, 'USAGE')
       THEN 'the role ' || current_user || ' may not use its schema: grant it pg_read_all_data'
       WHEN NOT has_table_privilege(c.oid, 'SELECT')
       THEN 'the role ' || current_user || ' may not read it: grant it pg_read_all_data'
       WHEN row_security_active(c.oid)
       THEN 'row-level security hides rows of it from the role ' || current_user
            || ': use one with BYPASSRLS' ELSE '' END,
  a.attname::text, format_type(a.atttypid, a.atttypmod),
  CASE WHEN b.typnamespace = 'pg_catalog'::regnamespace AND b.typtype = 'b' THEN b.typname::text
       ELSE '' END,
  NOT a.attnotnull,
  CASE WHEN l.oid IS NULL THEN '' WHEN l.collprovider = 'd' THEN (SELECT sorting FROM locale)
       ELSE concat_ws(':', l.collprovider, l.collcollate,
                      coalesce(to_jsonb(l) ->> 'colliculocale', to_jsonb(l) ->> 'colllocale'),
                      pg_collation_actual_version(l.oid)) END,
  getdatabaseencoding()::text
FROM pg_class AS c
JOIN watched AS w ON w.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_type AS b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p')";

// Indexes that tell rows apart and can be walked: one row per column, the best index first. Partial
// ones, such of expressions, and such in another order than `<` and `>` know are of no use.
constexpr std::string_view kKeysSql = R"(
SELECT n.nspname::text, c.relname::text, i.indexrelid::text, a.attname::text, i.indisprimary
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace,
unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute AS a ON a.attnum = k.attnum
WHERE a.attrelid = i.indrelid AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
AND n.nspname !~ '^pg_' AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
AND i.indexprs IS NULL AND NOT EXISTS (
  SELECT FROM generate_series(0, i.indnkeyatts - 1) AS p (place)
  LEFT JOIN pg_attribute AS x ON x.attrelid = i.indrelid AND x.attnum = i.indkey[p.place]
  LEFT JOIN pg_opclass AS o ON o.oid = i.indclass[p.place]
  WHERE NOT x.attnotnull OR x.attcollation <> i.indcollation[p.place]
  OR i.indoption[p.place] & 1 = 1 OR NOT o.opcdefault)
ORDER BY n.nspname, c.relname, i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.place)";

constexpr std::string_view kPublishedSql = R"(
SELECT p.pubname::text, t.schemaname::text, t.tablename::text, a::text,
  CASE WHEN t.rowfilter IS NOT NULL THEN 'publication ' || p.pubname || ' sends only some of its rows'
       WHEN NOT (p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate)
       THEN 'publication ' || p.pubname || ' does not send every kind of change' ELSE '' END
FROM pg_publication AS p JOIN pg_publication_tables AS t ON t.pubname = p.pubname,
unnest(t.attnames) AS a)";

constexpr std::string_view kHere =
    "subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";

// Whether all rows have their first cells, up to `cells`.
bool AreWhole(const Rows& rows, std::size_t cells) {
  return std::all_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.size() == cells &&
           std::all_of(row.begin(), row.end(), [](const auto& cell) { return cell.has_value(); });
  });
}

void ReadColumnRow(const Row& row, TableShapes& shapes) {
  TableShape& shape = shapes[LabelOf(*row[0], *row[1])];
  shape.schema = *row[0];
  shape.name = *row[1];
  shape.is_partitioned = *row[2] == "t";
  shape.rows_estimated = double(ToPosition(row[3]).value_or(0));
  shape.obstacle = *row[4];
  shape.columns[*row[5]] = {.name = *row[5],
                            .type = *row[6],
                            .base = *row[7],
                            .may_be_null = *row[8] == "t",
                            .order = *row[9]};
}

void ReadKeys(const Rows& rows, TableShapes& shapes) {
  std::string index;
  for (const Row& row : rows) {
    const auto shape = shapes.find(LabelOf(*row[0], *row[1]));
    if (shape == shapes.end()) continue;
    if (*row[2] != index)
      shape->second.keys.push_back({.columns = {}, .is_primary = *row[4] == "t"});
    index = *row[2];
    shape->second.keys.back().columns.push_back(*row[3]);
  }
}

}  // namespace

std::vector<Statement> PostgresChecksum::TablesStatements(
    ServerRole role, const std::vector<std::string>& schemas) const {
  std::vector<Statement> statements = {
      {.sql = std::string(kColumnsSql), .parameters = {PostgresArray(schemas)}},
      {.sql = std::string(kKeysSql), .parameters = {}}};
  if (role == ServerRole::kPrimary) {
    statements.push_back({.sql = std::string(kPublishedSql), .parameters = {}});
  }
  if (role == ServerRole::kLogical) {
    statements.push_back({.sql = fmt::format("SELECT DISTINCT unnest(subpublications) FROM "
                                             "pg_subscription WHERE {}",
                                             kHere),
                          .parameters = {}});
    statements.push_back(
        {.sql = fmt::format("SELECT n.nspname::text, c.relname::text, r.srsubstate = 'r' "
                            "FROM pg_subscription_rel AS r JOIN pg_class AS c ON c.oid = r.srrelid "
                            "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE r.srsubid IN "
                            "(SELECT oid FROM pg_subscription WHERE {})",
                            kHere),
         .parameters = {}});
  }
  return statements;
}

absl::StatusOr<ServerTables> PostgresChecksum::ReadTables(
    ServerRole role, const std::vector<std::string>& /*schemas*/, const Answers& answers) const {
  for (const auto& answer : answers) {
    if (!answer.ok()) return answer.status();
  }
  const std::size_t expected =
      role == ServerRole::kLogical ? 4 : (role == ServerRole::kPrimary ? 3 : 2);
  const absl::Status not_understood =
      absl::UnknownError("its answer about its tables cannot be understood");
  if (answers.size() != expected || !AreWhole(*answers[0], 11) || !AreWhole(*answers[1], 5)) {
    return not_understood;
  }
  ServerTables tables;
  for (const Row& row : *answers[0]) {
    ReadColumnRow(row, tables.shapes);
    tables.encoding = *row[10];
  }
  ReadKeys(*answers[1], tables.shapes);
  if (role == ServerRole::kPrimary) {
    if (!AreWhole(*answers[2], 5)) return not_understood;
    for (const Row& row : *answers[2]) {
      PublishedTable& table = tables.published[*row[0]][LabelOf(*row[1], *row[2])];
      table.columns.insert(*row[3]);
      table.exception = *row[4];
    }
  }
  if (role == ServerRole::kLogical) {
    if (!AreWhole(*answers[2], 1) || !AreWhole(*answers[3], 3)) return not_understood;
    for (const Row& row : *answers[2]) tables.publications.insert(*row[0]);
    for (const Row& row : *answers[3]) {
      tables.subscribed_is_ready[LabelOf(*row[0], *row[1])] = *row[2] == "t";
    }
  }
  return tables;
}

Statement PostgresChecksum::PositionStatement() const {
  // Inserted, not written: a change may be visible before its commit is written.
  return {.sql = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text", .parameters = {}};
}

Statement PostgresChecksum::HeldBackStatement() const {
  // A commit that waits for a synchronous standby is on the standbys already and not yet visible
  // here.
  return {.sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
          .parameters = {}};
}

std::vector<Statement> PostgresChecksum::ReplayStatements(ServerRole role) const {
  switch (role) {
    case ServerRole::kPrimary:
      // What a subscriber has applied is only what it reported to have: "received" is ahead of it.
      return {{.sql = "SELECT s.slot_name::text, greatest(s.confirmed_flush_lsn, r.replay_lsn) "
                      "- '0/0'::pg_lsn FROM pg_replication_slots AS s LEFT JOIN "
                      "pg_stat_replication AS r ON r.pid = s.active_pid "
                      "WHERE s.slot_type = 'logical' AND NOT s.temporary",
               .parameters = {}}};
    case ServerRole::kPhysical:
      return {{.sql = "SELECT CASE WHEN pg_is_in_recovery() THEN "
                      "(pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::text END",
               .parameters = {}}};
    case ServerRole::kLogical:
      return {{.sql = fmt::format("SELECT coalesce(subslotname::text, '') FROM pg_subscription "
                                  "WHERE {}",
                                  kHere),
               .parameters = {}}};
  }
  return {};
}

bool PostgresChecksum::HasReplayed(ServerRole replica, const std::string& position,
                                   const Answers& primary_says, const Answers& replica_says) const {
  const auto wanted = ToPosition(position);
  if (!wanted.has_value() || replica_says.empty() || !replica_says[0].ok()) return false;
  const std::uint64_t end = EndOfLastRecord(*wanted);
  const auto is_there = [&](const Row& row, std::size_t cell) {
    return row.size() > cell && ToPosition(row[cell]) >= end;
  };
  const Rows& here = *replica_says[0];
  if (replica == ServerRole::kPhysical) return here.size() == 1 && is_there(here[0], 0);
  if (here.empty() || primary_says.empty() || !primary_says[0].ok()) return false;
  const Rows& slots = *primary_says[0];
  return std::all_of(here.begin(), here.end(), [&](const Row& subscription) {
    return std::any_of(slots.begin(), slots.end(), [&](const Row& slot) {
      return slot.at(0) == subscription.at(0) && is_there(slot, 1);
    });
  });
}

}  // namespace headgate::database
