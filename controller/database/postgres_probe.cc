#include "controller/database/postgres_probe.h"

#include <algorithm>
#include <map>
#include <utility>

#include "controller/database/load.h"
#include "controller/database/observation.h"
#include "controller/database/soundness.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

// The last answer of each server, taken off: statements are asked in order.
std::map<std::string, absl::StatusOr<Rows>> TakeLast(std::map<std::string, Answers>& answers) {
  std::map<std::string, absl::StatusOr<Rows>> taken;
  for (auto& [server, given] : answers) {
    if (given.empty()) continue;
    taken.emplace(server, std::move(given.back()));
    given.pop_back();
  }
  return taken;
}

}  // namespace

PostgresProbe::PostgresProbe(Inventory inventory, const Deadlines& deadlines)
    : inventory_(std::move(inventory)),
      deadlines_(deadlines),
      servers_(inventory_),
      judge_(inventory_),
      load_judge_(inventory_.bounds),
      page_check_(inventory_) {}

PostgresProbe::PostgresProbe(Inventory inventory)
    : PostgresProbe(std::move(inventory), Deadlines()) {}

std::vector<Statement> PostgresProbe::StatementsOf(const Replica& replica) {
  return replica.kind == ReplicaKind::kPhysical ? PhysicalStatements() : LogicalStatements();
}

Report PostgresProbe::Look(const Clock& clock) {
  const TimePoint asked_at = clock.Now();
  const bool with_load = !load_asked_at_ || asked_at - *load_asked_at_ >= kLoadEvery - kLoadSlack;
  Questions questions;
  // Before the load: its answer is the last one once that has been taken off.
  questions[Servers::kPrimary] = PrimaryStatements();
  if (inventory_.counts_active) questions[Servers::kPrimary].push_back(ActiveStatement());
  for (const Replica& replica : inventory_.replicas) {
    questions[replica.name] = StatementsOf(replica);
  }
  if (with_load) {
    for (auto& [server, statements] : questions) statements.push_back(LoadStatement());
  }
  auto answers = servers_.Ask(questions, deadlines_.look, clock);
  std::map<std::string, absl::StatusOr<Rows>> load;
  if (with_load) load = TakeLast(answers);
  std::optional<std::int64_t> active;
  if (Answers& given = answers.at(Servers::kPrimary); inventory_.counts_active) {
    active = ReadActive(given.back());
    given.pop_back();
  }
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
  if (IsFedByNobody(seen)) {
    auto again = servers_.Ask({{Servers::kPrimary, PrimaryStatements()}}, deadlines_.look, clock);
    seen.primary = ReadPrimary(again.at(Servers::kPrimary));
  }
  const TimePoint now = clock.Now();
  if (with_load) {
    load_asked_at_ = asked_at;
    JudgeLoad(load, answers, now);
  }
  Report report = judge_.Judge(seen, now);
  report.findings.insert(report.findings.end(), load_.findings.begin(), load_.findings.end());
  report.notes = load_.notes;
  report.active_backends = active;
  return report;
}

void PostgresProbe::JudgeLoad(const std::map<std::string, absl::StatusOr<Rows>>& answers,
                              const std::map<std::string, Answers>& others, TimePoint now) {
  std::vector<LoadJudge::Server> servers;
  const auto add = [&](const std::string& asked, const std::string& name, LoadJudge::Role role) {
    const auto answer = answers.find(asked);
    // Whoever says nothing at all has a finding of its own.
    if (answer == answers.end() || !others.at(asked).front().ok()) return;
    servers.push_back({.name = name, .role = role, .seen = ReadLoad(answer->second)});
  };
  add(Servers::kPrimary, kPrimaryName, LoadJudge::Role::kPrimary);
  for (const Replica& replica : inventory_.replicas) {
    if (replica.out) continue;
    add(replica.name, replica.name,
        replica.kind == ReplicaKind::kPhysical ? LoadJudge::Role::kPhysical
                                               : LoadJudge::Role::kLogical);
  }
  load_ = load_judge_.Judge(servers, now);
}

Report PostgresProbe::Fingerprint(const Clock& clock) {
  Report report = FingerprintRun(inventory_, deadlines_.fingerprint,
                                 {.servers = servers_, .dialect = dialect_, .clock = clock})
                      .Run();
  // Proven drift waits for nothing.
  const bool drains = std::any_of(report.findings.begin(), report.findings.end(),
                                  [](const Finding& finding) { return finding.drains; });
  if (drains) return report;
  const Session::Deadlines& deadlines = deadlines_.fingerprint.reading;
  SoundnessRun(inventory_, deadlines, servers_, clock).AddTo(report);
  page_check_.AddTo(report, deadlines, servers_, clock);
  return report;
}

void PostgresProbe::Interrupt() { servers_.Interrupt(); }

}  // namespace headgate::database
