#include "controller/database/maria_dialect.h"

#include <utility>

#include "controller/database/gtid.h"
#include "controller/database/maria_schema.h"

namespace headgate::database {
namespace {

std::string FirstCell(const absl::StatusOr<Rows>& rows) {
  return rows.ok() && !rows->empty() && !rows->front().empty() ? rows->front()[0].value_or("") : "";
}

}  // namespace

std::vector<Statement> MariaDialect::AskPrimary(const Inventory& inventory) const {
  std::vector<Statement> statements = MariaSchemaStatements(inventory.schemas);
  // After the schema: what was read lies before this position. A change is visible only once it is
  // in the binary log.
  statements.push_back({.sql = "SELECT @@gtid_binlog_pos"});
  return statements;
}

std::vector<Statement> MariaDialect::AskReplica(const Inventory& inventory,
                                                const Replica& /*replica*/) const {
  return MariaSchemaStatements(inventory.schemas);
}

absl::StatusOr<PrimarySchema> MariaDialect::ReadPrimary(const Inventory& inventory,
                                                        const Answers& answers) const {
  auto schema = ReadMariaSchema(inventory.schemas, answers);
  if (!schema.ok()) return schema.status();
  const auto& position = answers.at(kMariaSchemaStatements);
  if (!position.ok()) return position.status();
  return PrimarySchema{
      .schema = *std::move(schema), .position = FirstCell(position), .published = {}};
}

absl::StatusOr<ReplicaSchema> MariaDialect::ReadReplica(const Inventory& inventory,
                                                        const Replica& /*replica*/,
                                                        const Answers& answers) const {
  auto schema = ReadMariaSchema(inventory.schemas, answers);
  if (!schema.ok()) return schema.status();
  return ReplicaSchema{.schema = *std::move(schema), .publications = {}, .subscribed_tables = {}};
}

std::vector<Difference> MariaDialect::Differences(const Replica& /*replica*/,
                                                  const PrimarySchema& primary,
                                                  const ReplicaSchema& seen) const {
  return Compare(primary.schema, seen.schema);
}

// Every table reaches every replica, or a filter keeps it out: the judge tells of those.
std::vector<Gap> MariaDialect::Gaps(const Replica& /*replica*/, const PrimarySchema& /*primary*/,
                                    const ReplicaSchema& /*seen*/) const {
  return {};
}

std::vector<Statement> MariaDialect::AskPrimaryForReplay() const { return {{.sql = "SELECT 1"}}; }

std::vector<Statement> MariaDialect::AskReplicaForReplay(const Replica& /*replica*/) const {
  return {{.sql = "SELECT @@gtid_slave_pos"}};
}

bool MariaDialect::HasReplayed(const Replica& /*replica*/, const Answers& replica_answers,
                               const Answers& /*primary_answers*/,
                               const std::string& position) const {
  if (replica_answers.empty() || !replica_answers[0].ok()) return false;
  const auto replayed = ParseGtidPosition(FirstCell(replica_answers[0]));
  const auto wanted = ParseGtidPosition(position);
  return replayed.has_value() && wanted.has_value() && Covers(*replayed, *wanted);
}

}  // namespace headgate::database
