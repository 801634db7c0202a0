// MariaDB's part of a comparison of schemas: see SchemaDialect.
#pragma once

#include <string>
#include <vector>

#include "controller/database/schema_dialect.h"

namespace headgate::database {

class MariaDialect final : public SchemaDialect {
 public:
  std::vector<Statement> AskPrimary(const Inventory& inventory) const override;
  std::vector<Statement> AskReplica(const Inventory& inventory,
                                    const Replica& replica) const override;
  absl::StatusOr<PrimarySchema> ReadPrimary(const Inventory& inventory,
                                            const Answers& answers) const override;
  absl::StatusOr<ReplicaSchema> ReadReplica(const Inventory& inventory, const Replica& replica,
                                            const Answers& answers) const override;
  std::vector<Difference> Differences(const Replica& replica, const PrimarySchema& primary,
                                      const ReplicaSchema& seen) const override;
  std::vector<Gap> Gaps(const Replica& replica, const PrimarySchema& primary,
                        const ReplicaSchema& seen) const override;
  std::vector<Statement> AskPrimaryForReplay() const override;
  std::vector<Statement> AskReplicaForReplay(const Replica& replica) const override;
  bool HasReplayed(const Replica& replica, const Answers& replica_answers,
                   const Answers& primary_answers, const std::string& position) const override;
};

}  // namespace headgate::database
