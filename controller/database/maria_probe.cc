#include "controller/database/maria_probe.h"

#include <utility>

#include "controller/database/maria_load.h"
#include "controller/database/maria_observation.h"
#include "controller/database/words.h"

namespace headgate::database {

MariaProbe::MariaProbe(Inventory inventory, const ProbeDeadlines& deadlines)
    : inventory_(std::move(inventory)),
      deadlines_(deadlines),
      servers_(inventory_),
      judge_(inventory_),
      load_judge_(inventory_.bounds) {}

Report MariaProbe::Look(const Clock& clock) {
  Questions questions;
  questions[Servers::kPrimary] = MariaPrimaryStatements();
  for (const Replica& replica : inventory_.replicas) {
    questions[replica.name] = MariaReplicaStatements();
  }
  const TimePoint asked_at = clock.Now();
  const bool with_load = !load_asked_at_ || asked_at - *load_asked_at_ >= kLoadEvery - kLoadSlack;
  // Before the load: its answer is the last one once those have been taken off.
  if (inventory_.counts_active) questions[Servers::kPrimary].push_back(MariaActiveStatement());
  if (with_load) {
    for (auto& [server, statements] : questions) {
      for (Statement& statement : MariaLoadStatements()) statements.push_back(std::move(statement));
    }
  }
  auto answers = servers_.Ask(questions, deadlines_.look, clock);
  if (with_load) {
    load_asked_at_ = asked_at;
    JudgeLoad(answers, clock.Now());
  }
  std::optional<std::int64_t> active;
  if (Answers& given = answers.at(Servers::kPrimary); inventory_.counts_active) {
    active = ReadMariaActive(given.back());
    given.pop_back();
  }
  MariaObservation seen{
      .at = asked_at, .primary = ReadMariaPrimary(answers.at(Servers::kPrimary)), .replicas = {}};
  for (const Replica& replica : inventory_.replicas) {
    const auto answered = answers.find(replica.name);
    if (answered == answers.end()) continue;
    seen.replicas.emplace(replica.name, ReadMariaReplica(answered->second));
  }
  Report report = judge_.Judge(seen, clock.Now());
  report.findings.insert(report.findings.end(), load_.findings.begin(), load_.findings.end());
  report.notes = load_.notes;
  report.active_backends = active;
  return report;
}

void MariaProbe::JudgeLoad(std::map<std::string, Answers>& answers, TimePoint now) {
  std::vector<LoadJudge::Server> servers;
  const auto take = [&](const std::string& asked, const std::string& name, LoadJudge::Role role) {
    const auto found = answers.find(asked);
    if (found == answers.end()) return;
    Answers& given = found->second;
    auto seen = ReadMariaLoad(given.at(given.size() - 2), given.back());
    given.resize(given.size() - kMariaLoadStatements, absl::UnknownError(""));
    // Whoever says nothing at all has a finding of its own.
    if (name.empty() || !given.front().ok()) return;
    servers.push_back({.name = name, .role = role, .seen = std::move(seen)});
  };
  take(Servers::kPrimary, kPrimaryName, LoadJudge::Role::kPrimary);
  for (const Replica& replica : inventory_.replicas) {
    // Its SQL thread takes locks, as a logical replica's apply worker does.
    take(replica.name, replica.out ? "" : replica.name, LoadJudge::Role::kLogical);
  }
  load_ = load_judge_.Judge(servers, now);
}

Report MariaProbe::Fingerprint(const Clock& clock) {
  return FingerprintRun(inventory_, deadlines_.fingerprint,
                        {.servers = servers_, .dialect = dialect_, .clock = clock})
      .Run();
}

}  // namespace headgate::database
