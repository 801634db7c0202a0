#include "controller/database/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/database/allowance.h"
#include "controller/database/expected_schema.h"
#include "controller/database/label.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

constexpr Duration kReplayPoll{100};
}  // namespace

Report FingerprintRun::Run() {
  report_ = Report{.findings = {}, .observed_at = clock_.Now(), .lag = Duration(0)};
  std::vector<const Replica*> replicas;
  for (const Replica& replica : inventory_.replicas) {
    if (!replica.out) replicas.push_back(&replica);
  }
  const TimePoint first_at = clock_.Now();
  const Reading first = Read(replicas);
  if (!first.primary.ok()) {
    AddUnread("primary", first.primary.status());
    return std::move(report_);
  }
  CheckVisible(*first.primary);
  std::vector<const Replica*> suspects;
  for (const Replica* replica : replicas) {
    const auto& seen = first.replicas.at(replica->name);
    if (!seen.ok()) {
      AddUnread(replica->name, seen.status());
      continue;
    }
    TellGaps(*replica, *first.primary, *seen);
    TellAllowed(*replica, *first.primary, *seen);
    if (!Differences(*replica, *first.primary, *seen).empty()) suspects.push_back(replica);
  }
  const bool is_expected = CompareWithExpected(inventory_, first.primary->schema, 1).empty();
  if (suspects.empty() && is_expected) return std::move(report_);
  std::set<std::string> replayed;
  if (!suspects.empty()) replayed = WaitForReplay(suspects, first.primary->position);
  const Duration since = clock_.Now() - first_at;
  if (since < deadlines_.apart) servers_.Pause(deadlines_.apart - since);
  const Reading second = Read(suspects);
  if (!second.primary.ok()) {
    AddUnread("primary", second.primary.status());
    return std::move(report_);
  }
  if (!is_expected) TellUnexpected(first.primary->schema, second.primary->schema);
  for (const Replica* replica : suspects) {
    const auto& seen = second.replicas.at(replica->name);
    if (!seen.ok()) {
      AddUnread(replica->name, seen.status());
      continue;
    }
    Tell(*replica, replayed.contains(replica->name), first, second);
  }
  return std::move(report_);
}

FingerprintRun::Reading FingerprintRun::Read(const std::vector<const Replica*>& replicas) {
  Questions questions;
  questions[Servers::kPrimary] = dialect_.AskPrimary(inventory_);
  for (const Replica* replica : replicas) {
    questions[replica->name] = dialect_.AskReplica(inventory_, *replica);
  }
  const auto answers = servers_.Ask(std::move(questions), deadlines_.reading, clock_);
  Reading reading{.primary = dialect_.ReadPrimary(inventory_, answers.at(Servers::kPrimary)),
                  .replicas = {}};
  for (const Replica* replica : replicas) {
    const auto answered = answers.find(replica->name);
    reading.replicas.emplace(replica->name,
                             answered == answers.end()
                                 ? absl::InvalidArgumentError("it is in use and has no dsn")
                                 : dialect_.ReadReplica(inventory_, *replica, answered->second));
  }
  return reading;
}

bool FingerprintRun::IsAllowed(const ObjectKey& key) const {
  return database::IsAllowed(inventory_.allow, key.schema, key.relation, key.name);
}

std::vector<Difference> FingerprintRun::Differences(const Replica& replica,
                                                    const PrimarySchema& primary,
                                                    const ReplicaSchema& seen) const {
  std::vector<Difference> differences = dialect_.Differences(replica, primary, seen);
  std::erase_if(differences,
                [&](const Difference& difference) { return IsAllowed(difference.key); });
  return differences;
}

void FingerprintRun::TellAllowed(const Replica& replica, const PrimarySchema& primary,
                                 const ReplicaSchema& seen) {
  if (inventory_.allow.empty()) return;
  std::size_t told = 0;
  for (const Difference& difference : dialect_.Differences(replica, primary, seen)) {
    if (!IsAllowed(difference.key) || told++ >= kFindingsMax) continue;
    report_.notes.push_back("allowed: " + Describe(replica.name, difference));
  }
  if (told <= kFindingsMax) return;
  report_.notes.push_back(fmt::format("allowed: replica {}: and {} more differences", replica.name,
                                      told - kFindingsMax));
}

void FingerprintRun::TellGaps(const Replica& replica, const PrimarySchema& primary,
                              const ReplicaSchema& seen) {
  for (Gap& gap : dialect_.Gaps(replica, primary, seen)) {
    if (!IsAllowed(gap.table)) report_.findings.push_back(std::move(gap.finding));
  }
}

std::set<std::string> FingerprintRun::WaitForReplay(const std::vector<const Replica*>& replicas,
                                                    const std::string& position) {
  const TimePoint give_up = clock_.Now() + deadlines_.confirm;
  std::set<std::string> replayed;
  while (true) {
    Questions questions;
    questions[Servers::kPrimary] = dialect_.AskPrimaryForReplay();
    for (const Replica* replica : replicas) {
      if (replayed.contains(replica->name)) continue;
      questions[replica->name] = dialect_.AskReplicaForReplay(*replica);
    }
    const auto answers = servers_.Ask(std::move(questions), deadlines_.reading, clock_);
    for (const Replica* replica : replicas) {
      const auto answered = answers.find(replica->name);
      if (answered != answers.end() &&
          dialect_.HasReplayed(*replica, answered->second, answers.at(Servers::kPrimary),
                               position)) {
        replayed.insert(replica->name);
      }
    }
    if (replayed.size() == replicas.size() || clock_.Now() >= give_up ||
        !servers_.Pause(kReplayPoll)) {
      return replayed;
    }
  }
}

void FingerprintRun::CheckVisible(const PrimarySchema& primary) {
  std::set<std::string> seen;
  for (const auto& [key, definition] : primary.schema) {
    if (key.kind == "table") seen.insert(key.schema);
  }
  const auto add = [&](const std::string& text) {
    report_.findings.push_back({.severity = Severity::kUnknown,
                                .drains = false,
                                .kind = "schema_unread",
                                .server = "primary",
                                .text = text});
  };
  if (seen.empty()) add("the primary: no table is visible: is dbname right?");
  for (const std::string& schema : inventory_.schemas) {
    if (!seen.contains(schema)) {
      add(fmt::format("the primary: schema {} is declared and has no tables there", schema));
    }
  }
}

void FingerprintRun::Tell(const Replica& replica, bool has_replayed, const Reading& first,
                          const Reading& second) {
  const std::vector<Difference> before =
      Differences(replica, *first.primary, *first.replicas.at(replica.name));
  std::size_t told = 0;
  bool is_any_confirmed = false;
  for (const Difference& difference :
       Differences(replica, *second.primary, *second.replicas.at(replica.name))) {
    const bool is_steady = std::find(before.begin(), before.end(), difference) != before.end();
    const bool is_confirmed = has_replayed && is_steady;
    is_any_confirmed = is_any_confirmed || is_confirmed;
    if (told++ >= kFindingsMax) continue;
    std::string text = Describe(replica.name, difference);
    if (!is_confirmed) {
      text += is_steady
                  ? " (not confirmed: the replica has not replayed the primary's position yet)"
                  : " (not confirmed: it has just changed)";
    }
    report_.findings.push_back({.severity = is_confirmed ? Severity::kFailed : Severity::kUnknown,
                                .drains = is_confirmed,
                                .kind = "schema",
                                .server = replica.name,
                                .table = LabelOf(difference.key.schema, difference.key.relation),
                                .text = std::move(text)});
  }
  if (told <= kFindingsMax) return;
  report_.findings.push_back({.severity = is_any_confirmed ? Severity::kFailed : Severity::kUnknown,
                              .drains = is_any_confirmed,
                              .kind = "schema",
                              .server = replica.name,
                              .text = fmt::format("replica {}: and {} more differences",
                                                  replica.name, told - kFindingsMax)});
}

void FingerprintRun::TellUnexpected(const Schema& first, const Schema& second) {
  const auto before = CompareWithExpected(inventory_, first, kFindingsMax);
  for (Finding& finding : CompareWithExpected(inventory_, second, kFindingsMax)) {
    if (std::find(before.begin(), before.end(), finding) != before.end()) {
      finding.severity = Severity::kFailed;
      finding.drains = true;
    } else {
      finding.text += " (not confirmed: it has just changed)";
    }
    report_.findings.push_back(std::move(finding));
  }
}

void FingerprintRun::AddUnread(const std::string& server, const absl::Status& status) {
  report_.findings.push_back({.severity = Severity::kUnknown,
                              .drains = false,
                              .kind = "schema_unread",
                              .server = server,
                              .text = fmt::format("{}: its schema could not be read: {}",
                                                  Called(server), std::string(status.message()))});
}

}  // namespace headgate::database
