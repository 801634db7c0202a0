#include "controller/database/postgres_probe.h"

#include <map>
#include <utility>

#include "controller/database/observation.h"

namespace headgate::database {

PostgresProbe::PostgresProbe(Inventory inventory, const Deadlines& deadlines)
    : inventory_(std::move(inventory)),
      deadlines_(deadlines),
      servers_(inventory_),
      judge_(inventory_) {}

PostgresProbe::PostgresProbe(Inventory inventory)
    : PostgresProbe(std::move(inventory), Deadlines()) {}

Report PostgresProbe::Look(const Clock& clock) {
  Questions questions;
  questions[Servers::kPrimary] = PrimaryStatements();
  for (const Replica& replica : inventory_.replicas) {
    questions[replica.name] =
        replica.kind == ReplicaKind::kPhysical ? PhysicalStatements() : LogicalStatements();
  }
  const TimePoint asked_at = clock.Now();
  const auto answers = servers_.Ask(std::move(questions), deadlines_.look, clock);
  Observation seen{.at = asked_at,
                   .primary = ReadPrimary(answers.at(Servers::kPrimary)),
                   .physical = {},
                   .logical = {}};
  for (const Replica& replica : inventory_.replicas) {
    const auto answered = answers.find(replica.name);
    if (answered == answers.end()) continue;
    if (replica.kind == ReplicaKind::kPhysical) {
      seen.physical.emplace(replica.name, ReadPhysical(answered->second));
    } else {
      seen.logical.emplace(replica.name, ReadLogical(answered->second));
    }
  }
  return judge_.Judge(seen, clock.Now());
}

Report PostgresProbe::Fingerprint(const Clock& clock) {
  return FingerprintRun(inventory_, deadlines_.fingerprint,
                        {.servers = servers_, .dialect = dialect_, .clock = clock})
      .Run();
}

void PostgresProbe::Interrupt() { servers_.Interrupt(); }

}  // namespace headgate::database
