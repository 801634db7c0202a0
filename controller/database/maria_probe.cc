#include "controller/database/maria_probe.h"

#include <utility>

#include "controller/database/maria_observation.h"

namespace headgate::database {

MariaProbe::MariaProbe(Inventory inventory, const ProbeDeadlines& deadlines)
    : inventory_(std::move(inventory)),
      deadlines_(deadlines),
      servers_(inventory_),
      judge_(inventory_) {}

Report MariaProbe::Look(const Clock& clock) {
  Questions questions;
  questions[Servers::kPrimary] = MariaPrimaryStatements();
  for (const Replica& replica : inventory_.replicas) {
    questions[replica.name] = MariaReplicaStatements();
  }
  const TimePoint asked_at = clock.Now();
  const auto answers = servers_.Ask(questions, deadlines_.look, clock);
  MariaObservation seen{
      .at = asked_at, .primary = ReadMariaPrimary(answers.at(Servers::kPrimary)), .replicas = {}};
  for (const Replica& replica : inventory_.replicas) {
    const auto answered = answers.find(replica.name);
    if (answered == answers.end()) continue;
    seen.replicas.emplace(replica.name, ReadMariaReplica(answered->second));
  }
  return judge_.Judge(seen, clock.Now());
}

Report MariaProbe::Fingerprint(const Clock& clock) {
  return FingerprintRun(inventory_, deadlines_.fingerprint,
                        {.servers = servers_, .dialect = dialect_, .clock = clock})
      .Run();
}

}  // namespace headgate::database
