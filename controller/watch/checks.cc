#include "controller/watch/checks.h"

#include <algorithm>

#include "controller/database/probe.h"

namespace headgate::watch {
namespace {

struct Kind {
  std::string_view name;
  Check check;
};

constexpr Kind kKinds[] = {
    {"unreachable", Check::kServers},
    {"timeout", Check::kServers},
    {"dsn", Check::kServers},
    {"no_privilege", Check::kServers},
    {"error", Check::kServers},
    {"unsupported_version", Check::kServers},
    {"wrong_role", Check::kServers},
    {"wrong_system", Check::kServers},
    {"same_server", Check::kServers},
    {"read_only", Check::kServers},
    {"not_read_only", Check::kServers},
    {"still_in_use", Check::kServers},
    {"not_streaming", Check::kReplication},
    {"wrong_timeline", Check::kReplication},
    {"replay_paused", Check::kReplication},
    {"no_subscription", Check::kReplication},
    {"subscription_disabled", Check::kReplication},
    {"not_synchronised", Check::kReplication},
    {"not_fed_by_primary", Check::kReplication},
    {"slot_lost", Check::kReplication},
    {"slot_at_risk", Check::kReplication},
    {"apply_errors", Check::kReplication},
    {"not_subscribed", Check::kReplication},
    {"not_published", Check::kReplication},
    {"no_binlog", Check::kReplication},
    {"not_applying", Check::kReplication},
    {"type_conversions", Check::kReplication},
    {"exec_mode", Check::kReplication},
    {"skipped_errors", Check::kReplication},
    {"run_triggers", Check::kReplication},
    {"filtered", Check::kReplication},
    {"lag", Check::kLag},
    {"bytes_behind", Check::kLag},
    {"schema", Check::kSchema},
    {"schema_unread", Check::kSchema},
    {"baseline", Check::kSchema},
    {"connections", Check::kLoad},
    {"deadlocks", Check::kLoad},
    {"rollbacks", Check::kLoad},
    {"long_transaction", Check::kLoad},
    {"lock_waits", Check::kLoad},
    {"load_unread", Check::kLoad},
};

// Whoever has one of these told nothing else.
constexpr std::string_view kSilences[] = {"unreachable",  "timeout", "dsn",
                                          "no_privilege", "error",   "unsupported_version"};

Verdict VerdictOf(database::Severity severity) {
  switch (severity) {
    case database::Severity::kDegraded:
      return Verdict::kDegraded;
    case database::Severity::kUnknown:
      return Verdict::kUnknown;
    case database::Severity::kFailed:
      return Verdict::kFailed;
  }
  return Verdict::kFailed;
}

void Worsen(Standing& standing, Verdict verdict, const std::string& why) {
  if (verdict <= standing.verdict) return;
  standing = {.verdict = verdict, .why = why};
}

bool IsSilence(const database::Finding& finding) {
  return std::ranges::find(kSilences, finding.kind) != std::end(kSilences);
}

}  // namespace

const char* NameOf(Check check) {
  switch (check) {
    case Check::kServers:
      return "servers";
    case Check::kReplication:
      return "replication";
    case Check::kLag:
      return "lag";
    case Check::kSchema:
      return "schema";
    case Check::kLoad:
      return "load";
    case Check::kData:
      return "data";
  }
  return "data";
}

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHealthy:
      return "HEALTHY";
    case Verdict::kDegraded:
      return "DEGRADED";
    case Verdict::kUnknown:
      return "UNKNOWN";
    case Verdict::kFailed:
      return "FAILED";
  }
  return "UNKNOWN";
}

Verdict VerdictOf(std::string_view name) {
  const auto found =
      std::ranges::find_if(kVerdicts, [&](Verdict verdict) { return name == NameOf(verdict); });
  return found == kVerdicts.end() ? Verdict::kUnknown : *found;
}

Check CheckOf(std::string_view kind) {
  const auto found =
      std::ranges::find_if(kKinds, [&](const Kind& known) { return known.name == kind; });
  return found == std::end(kKinds) ? Check::kData : found->check;
}

std::map<Check, Standing> Weigh(const database::Report& report) {
  std::map<Check, Standing> standings;
  for (const Check check : kChecks) standings[check];
  for (const database::Finding& finding : report.findings) {
    if (finding.kind == database::kNotComparedYet) {
      standings.erase(Check::kSchema);
      standings.erase(Check::kData);
    }
  }
  for (const database::Finding& finding : report.findings) {
    if (finding.kind == database::kNotComparedYet) continue;
    // A finding is told in any case: damage may be seen before the first comparison.
    Worsen(standings[CheckOf(finding.kind)], VerdictOf(finding.severity), finding.text);
    if (!IsSilence(finding)) continue;
    for (const Check check : {Check::kReplication, Check::kLag, Check::kLoad}) {
      Worsen(standings[check], Verdict::kUnknown, finding.text);
    }
  }
  const auto data = standings.find(Check::kData);
  if (data != standings.end() && !report.pending.empty()) {
    Worsen(data->second, Verdict::kUnknown, report.pending);
  }
  return standings;
}

bool IsComplete(const database::Report& report) {
  return std::ranges::none_of(report.findings, [](const database::Finding& finding) {
    return finding.severity == database::Severity::kUnknown || IsSilence(finding);
  });
}

}  // namespace headgate::watch
