#include "controller/database/postgres_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "controller/database/label.h"
#include "controller/database/observation.h"
#include "controller/database/replication_judge.h"
#include "controller/database/wal_position.h"

namespace headgate::database {
namespace {

// An ordinary table, neither a part of another nor made of parts.
bool IsPlainTable(const ObjectKey& key, const Schema& schema) {
  const auto has = [&](const char* setting) {
    return schema.contains({key.schema, key.relation, "setting", setting});
  };
  return key.kind == "table" && schema.at(key).text.starts_with("a table") &&
         !has("partition key") && !has("partition bound");
}

// What a logical replica subscribes to: the published tables, with their columns.
PublishedTables PublishedFor(const PrimarySchema& primary, const ReplicaSchema& seen) {
  PublishedTables published;
  for (const std::string& publication : seen.publications) {
    const auto found = primary.published.find(publication);
    if (found == primary.published.end()) continue;
    for (const auto& [table, columns] : found->second) {
      published[table].insert(columns.begin(), columns.end());
    }
  }
  return published;
}

}  // namespace

std::vector<Statement> PostgresDialect::AskPrimary(const Inventory& inventory) const {
  return {SchemaStatement(inventory.schemas),
          {.sql = "SELECT p.pubname::text, p.schemaname::text, p.tablename::text, a::text "
                  "FROM pg_publication_tables AS p, unnest(p.attnames) AS a",
           .parameters = {}},
          // After the schema: what was read lies before this position. Inserted, not written: a
          // change may be visible before its commit is written.
          {.sql = "SELECT CASE WHEN NOT pg_is_in_recovery() "
                  "THEN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text END",
           .parameters = {}}};
}

std::vector<Statement> PostgresDialect::AskReplica(const Inventory& inventory,
                                                   const Replica& replica) const {
  if (replica.kind == ReplicaKind::kPhysical) return {SchemaStatement(inventory.schemas)};
  const std::string here =
      "(SELECT oid FROM pg_subscription WHERE subdbid = "
      "(SELECT oid FROM pg_database WHERE datname = current_database()))";
  return {
      SchemaStatement(inventory.schemas),
      {.sql = "SELECT DISTINCT unnest(subpublications) FROM pg_subscription WHERE oid IN " + here,
       .parameters = {}},
      {.sql = "SELECT n.nspname::text, c.relname::text FROM pg_subscription_rel AS r "
              "JOIN pg_class AS c ON c.oid = r.srrelid "
              "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE r.srsubid IN " +
              here,
       .parameters = {}}};
}

absl::StatusOr<PrimarySchema> PostgresDialect::ReadPrimary(const Inventory& /*inventory*/,
                                                           const Answers& answers) const {
  auto schema = ReadSchema(answers[0]);
  if (!schema.ok()) return schema.status();
  if (!answers[1].ok()) return answers[1].status();
  if (!answers[2].ok()) return answers[2].status();
  PrimarySchema reading{.schema = *std::move(schema), .position = "", .published = {}};
  for (const Row& row : *answers[1]) {
    const std::string table = LabelOf(row.at(1).value_or(""), row.at(2).value_or(""));
    reading.published[row.at(0).value_or("")][table].insert(row.at(3).value_or(""));
  }
  const auto position =
      answers[2]->empty() ? std::nullopt : ToPosition(answers[2]->front().front());
  if (!position.has_value()) return absl::UnknownError("it has no position: it is not a primary");
  reading.position = fmt::format("{}", EndOfLastRecord(*position));
  return reading;
}

absl::StatusOr<ReplicaSchema> PostgresDialect::ReadReplica(const Inventory& /*inventory*/,
                                                           const Replica& replica,
                                                           const Answers& answers) const {
  auto schema = ReadSchema(answers[0]);
  if (!schema.ok()) return schema.status();
  ReplicaSchema reading{.schema = *std::move(schema), .publications = {}, .subscribed_tables = {}};
  if (replica.kind == ReplicaKind::kPhysical) return reading;
  if (!answers[1].ok()) return answers[1].status();
  if (!answers[2].ok()) return answers[2].status();
  for (const Row& row : *answers[1]) reading.publications.insert(row.at(0).value_or(""));
  for (const Row& row : *answers[2]) {
    reading.subscribed_tables.insert(LabelOf(row.at(0).value_or(""), row.at(1).value_or("")));
  }
  return reading;
}

std::vector<Difference> PostgresDialect::Differences(const Replica& replica,
                                                     const PrimarySchema& primary,
                                                     const ReplicaSchema& seen) const {
  if (replica.kind == ReplicaKind::kPhysical) return Compare(primary.schema, seen.schema);
  const ComparedSchemas compared =
      ForLogicalReplica(primary.schema, seen.schema, PublishedFor(primary, seen));
  return Compare(compared.primary, compared.replica);
}

std::vector<Statement> PostgresDialect::AskPrimaryForReplay() const { return PrimaryStatements(); }

std::vector<Statement> PostgresDialect::AskReplicaForReplay(const Replica& replica) const {
  return replica.kind == ReplicaKind::kPhysical ? PhysicalStatements() : LogicalStatements();
}

bool PostgresDialect::HasReplayed(const Replica& replica, const Answers& replica_answers,
                                  const Answers& primary_answers,
                                  const std::string& position) const {
  const std::uint64_t wanted = ToPosition(position).value_or(UINT64_MAX);
  if (replica.kind == ReplicaKind::kPhysical) {
    const auto seen = ReadPhysical(replica_answers);
    return seen.ok() && seen->identity.position >= wanted;
  }
  const auto seen = ReadLogical(replica_answers);
  const auto primary = database::ReadPrimary(primary_answers);
  if (!seen.ok() || !seen->identity.may_monitor) return false;
  return std::all_of(seen->subscriptions.begin(), seen->subscriptions.end(),
                     [&](const Subscription& subscription) {
                       // Logical replication carries no changes of schema. Should somebody send
                       // them as rows, they come only while a worker applies rows.
                       return !subscription.has_worker ||
                              ReplayedBy(subscription, primary) >= wanted;
                     });
}

std::vector<Gap> PostgresDialect::Gaps(const Replica& replica, const PrimarySchema& primary,
                                       const ReplicaSchema& seen) const {
  std::vector<Gap> gaps;
  if (replica.kind == ReplicaKind::kPhysical) return gaps;
  const PublishedTables published = PublishedFor(primary, seen);
  for (const auto& [key, definition] : primary.schema) {
    const std::string table = LabelOf(key.schema, key.relation);
    if (key.kind != "table" || !seen.schema.contains(key)) continue;
    if (published.contains(table) && !seen.subscribed_tables.contains(table)) {
      gaps.push_back(
          {.table = key,
           .finding = {.severity = Severity::kFailed,
                       .drains = false,
                       .kind = "not_subscribed",
                       .server = replica.name,
                       .table = table,
                       .text = fmt::format(
                           "replica {}: table {} is published but not replicated: run ALTER "
                           "SUBSCRIPTION … REFRESH PUBLICATION there",
                           replica.name, table)}});
    }
    if (!published.contains(table) && IsPlainTable(key, primary.schema)) {
      gaps.push_back(
          {.table = key,
           .finding = {
               .severity = Severity::kDegraded,
               .drains = false,
               .kind = "not_published",
               .server = replica.name,
               .table = table,
               .text = fmt::format("replica {}: table {} exists here, but no publication that it "
                                   "subscribes to has it: its rows are not the primary's",
                                   replica.name, table)}});
    }
  }
  return gaps;
}

}  // namespace headgate::database
