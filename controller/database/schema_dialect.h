// What a comparison of schemas asks of an engine's servers, and what their answers mean to it.
// Stateless: any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/inventory.h"
#include "controller/database/schema.h"
#include "controller/database/statement.h"

namespace headgate::database {

struct PrimarySchema {
  Schema schema;
  // How far its log was, after the schema was read; in the engine's own words.
  std::string position;
  // PostgreSQL's logical replication alone: by publication.
  std::map<std::string, PublishedTables> published;
};

struct ReplicaSchema {
  Schema schema;
  // PostgreSQL's logical replicas alone.
  std::set<std::string> publications;
  std::set<std::string> subscribed_tables;
};

// A table that does not reach a replica as it should.
struct Gap {
  ObjectKey table;
  Finding finding;
};

class SchemaDialect {
 public:
  virtual ~SchemaDialect() = default;

  virtual std::vector<Statement> AskPrimary(const Inventory& inventory) const = 0;
  virtual std::vector<Statement> AskReplica(const Inventory& inventory,
                                            const Replica& replica) const = 0;
  // PERMISSION_DENIED says which right is missing.
  virtual absl::StatusOr<PrimarySchema> ReadPrimary(const Inventory& inventory,
                                                    const Answers& answers) const = 0;
  virtual absl::StatusOr<ReplicaSchema> ReadReplica(const Inventory& inventory,
                                                    const Replica& replica,
                                                    const Answers& answers) const = 0;

  virtual std::vector<Difference> Differences(const Replica& replica, const PrimarySchema& primary,
                                              const ReplicaSchema& seen) const = 0;
  virtual std::vector<Gap> Gaps(const Replica& replica, const PrimarySchema& primary,
                                const ReplicaSchema& seen) const = 0;

  // Whether a replica has replayed the primary's `position`.
  virtual std::vector<Statement> AskPrimaryForReplay() const = 0;
  virtual std::vector<Statement> AskReplicaForReplay(const Replica& replica) const = 0;
  virtual bool HasReplayed(const Replica& replica, const Answers& replica_answers,
                           const Answers& primary_answers, const std::string& position) const = 0;
};

}  // namespace headgate::database
