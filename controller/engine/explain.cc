#include "controller/engine/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/duration.h"
#include "common/base/text.h"
#include "controller/engine/judge.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

// Databases are looked at every second; the look before the last one may count.
constexpr Duration kPreflightDatabaseFresh{5'000};

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

bool HasObserved(const Gate& gate, const AgentView& agent) {
  return agent.connected && agent.stage == AgentView::Stage::kObserved &&
         agent.version == gate.record.version && agent.local_override.empty();
}

std::string WhyNotObserved(const Gate& gate, const AgentView& agent) {
  if (!agent.connected) return "is not connected";
  if (!agent.local_override.empty()) return "has a local override: " + agent.local_override;
  if (agent.stage == AgentView::Stage::kRefused) return "refuses: " + agent.refusal;
  if (agent.version != gate.record.version) {
    return fmt::format("has version {}, not {}", agent.version.ToString(),
                       gate.record.version.ToString());
  }
  return "has not observed its share yet";
}

void AddClaims(const PlanSpec& plan, const AgentView& agent, std::vector<std::string>& obstacles) {
  if (agent.admit_by != plan.admit_by) {
    obstacles.push_back(
        fmt::format("agent {}: its load balancer admits by '{}', the plan says '{}'", agent.name,
                    agent.admit_by, plan.admit_by));
  }
  for (const CheckSpec& check : plan.checks) {
    const auto* ratio = std::get_if<RatioCheck>(&check.kind);
    const auto* source = ratio == nullptr ? nullptr : std::get_if<AgentRatio>(&ratio->source);
    if (source == nullptr || source->metric != AgentRatio::Metric::kSlowerThan) continue;
    const auto& counted = agent.slow_thresholds_ms;
    const auto wanted = static_cast<std::uint32_t>(source->slower_than.count());
    if (std::find(counted.begin(), counted.end(), wanted) == counted.end()) {
      obstacles.push_back(
          fmt::format("agent {}: its load balancer does not count answers slower than {}",
                      agent.name, FormatDuration(source->slower_than)));
    }
  }
}

// Without users there is nothing to count: preflight stands in for the ratios.
bool MayBeTooFew(const Gate& gate) { return gate.record.share == Share::None(); }

void AddChecks(const Gate& gate, TimePoint now, std::vector<std::string>& obstacles) {
  // A restoration that has ended asks nothing any more.
  if (gate.record.restoration && HasEnded(*gate.record.restoration)) return;
  for (const auto& [name, judgement] : JudgeAll(gate, now, IsInPreflight(gate))) {
    if (judgement.verdict == Verdict::kHealthy) {
      if (now - *judgement.age < gate.share_changed) {
        obstacles.push_back(
            fmt::format("check {} has not been read since the share changed", name));
      }
      continue;
    }
    if (judgement.unknown_why == UnknownWhy::kTooFew && MayBeTooFew(gate)) continue;
    obstacles.push_back("check " + JudgementText(name, judgement, " is"));
    for (std::size_t i = 1; i < judgement.findings.size(); ++i) {
      obstacles.push_back(fmt::format("check {}: {}", name, judgement.findings[i]));
    }
  }
}

std::string ClearText(const Gate& gate, Duration needed, TimePoint now) {
  if (!gate.clear_since) return "not clear yet";
  return fmt::format("clear for {} of {}", FormatDuration(now - *gate.clear_since),
                     FormatDuration(needed));
}

std::string RetryText(const Restoration& restoration, const Curing& phase, TimePoint now) {
  const std::uint32_t retries = restoration.plan.spec().retries;
  std::string text = restoration.retreats_in_a_row == 0
                         ? std::string("tries again")
                         : fmt::format("retry {} of {}", restoration.retreats_in_a_row, retries);
  if (phase.not_before > now) {
    text += fmt::format(" in {} at the earliest", FormatDuration(phase.not_before - now));
  }
  return text;
}

std::string Doing(const Gate& gate, const Restoration& restoration, TimePoint now) {
  const PlanSpec& plan = restoration.plan.spec();
  const std::string share = gate.record.share.ToString();
  return std::visit(
      Overloaded{[&](const Preflight&) {
                   return "preflight at " + share + ", " + ClearText(gate, plan.ready_for, now);
                 },
                 [&](const WaitingForApproval& phase) {
                   return fmt::format("at {}, waits for approval of {}", share,
                                      phase.step.ToString());
                 },
                 [&](const Admitting&) {
                   return "admitting " + share + ", " + ClearText(gate, plan.bake_min, now);
                 },
                 [&](const Holding& phase) { return "holding at " + share + ": " + phase.detail; },
                 [&](const Retreating& phase) {
                   return fmt::format("retreating from {} to {}", phase.from.ToString(),
                                      phase.to.ToString());
                 },
                 [&](const Curing& phase) {
                   return fmt::format("at {} after {} failed, {}, {}", share,
                                      phase.failed.ToString(), ClearText(gate, plan.bake_min, now),
                                      RetryText(restoration, phase, now));
                 },
                 [&](const Watching&) {
                   return fmt::format("at {}, watched for {} of {}", share,
                                      FormatDuration(now - restoration.phase_since),
                                      FormatDuration(plan.watch));
                 },
                 [&](const Completed& phase) { return "completed: " + phase.detail; },
                 [&](const Aborted& phase) { return "aborted at " + share + ": " + phase.detail; },
                 [&](const Failed& phase) { return "failed at " + share + ": " + phase.detail; }},
      restoration.phase);
}

// What ends a phase that evidence alone does not end; empty where it does.
std::string EndOf(const Gate& gate, const Restoration& restoration, TimePoint now) {
  const std::string& name = gate.record.gate;
  if (const auto* holding = std::get_if<Holding>(&restoration.phase)) {
    if (EndsByItself(*holding)) return "fresh evidence: then it goes on by itself";
    const char* who =
        holding->why == Holding::Why::kOperatorAsked ? "a person holds" : "a person must look";
    return fmt::format("{}: `headgate resume {}` goes on", who, name);
  }
  if (const auto* waiting = std::get_if<WaitingForApproval>(&restoration.phase)) {
    if (restoration.approved >= waiting->step) return "";
    return fmt::format("`headgate approve {}` (role approver), to admit {}", name,
                       waiting->step.ToString());
  }
  if (const auto* retreating = std::get_if<Retreating>(&restoration.phase)) {
    return fmt::format("the retreat to {}, which must be in force everywhere first",
                       retreating->to.ToString());
  }
  if (const auto* curing = std::get_if<Curing>(&restoration.phase)) {
    const Duration bake = restoration.plan.spec().bake_min;
    std::string text = fmt::format("the cure: {} must be clear for {}",
                                   gate.record.share.ToString(), FormatDuration(bake));
    if (curing->not_before > now) {
      text += fmt::format(", and {} must pass", FormatDuration(curing->not_before - now));
    }
    return text;
  }
  return "";
}

bool WillRise(const Restoration& restoration) {
  const auto* holding = std::get_if<Holding>(&restoration.phase);
  if (holding != nullptr) return EndsByItself(*holding);
  return !std::holds_alternative<Retreating>(restoration.phase);
}

// An operator moved the gate after its restoration had ended.
bool HasMovedSince(const Gate& gate, const Restoration& restoration) {
  if (!HasEnded(restoration)) return false;
  const bool was_all = std::holds_alternative<Completed>(restoration.phase);
  return (was_all && gate.record.share < Share::All()) ||
         (gate.changed > restoration.phase_since && gate.cause.kind != Cause::Kind::kRecovery);
}

std::string Moved(const Gate& gate, const std::string& before) {
  const Share share = gate.record.share;
  std::string text = share == Share::None() ? "closed" : "at " + share.ToString();
  if (!gate.cause.who.empty()) text += " by " + gate.cause.who;
  return fmt::format("{}; {} before that", text, before);
}

}  // namespace

std::set<std::string> ExpectedAgents(const Gate& gate) {
  std::set<std::string> expected;
  for (const auto& [name, agent] : gate.evidence.agents) expected.insert(name);
  if (gate.record.restoration) {
    const PlanSpec& plan = gate.record.restoration->plan.spec();
    expected.insert(plan.agents.begin(), plan.agents.end());
  }
  for (const std::string& name : gate.evidence.removed) expected.erase(name);
  return expected;
}

bool IsInPreflight(const Gate& gate) {
  return gate.record.share == Share::None() ||
         (gate.record.restoration &&
          std::holds_alternative<Preflight>(gate.record.restoration->phase));
}

bool HasEnded(const Restoration& restoration) {
  return std::holds_alternative<Completed>(restoration.phase) ||
         std::holds_alternative<Aborted>(restoration.phase) ||
         std::holds_alternative<Failed>(restoration.phase);
}

const char* NameOf(const Phase& phase) {
  return std::visit(
      Overloaded{
          [](const Preflight&) { return "PREFLIGHT"; },
          [](const WaitingForApproval&) { return "WAITING_FOR_APPROVAL"; },
          [](const Admitting&) { return "ADMITTING"; }, [](const Holding&) { return "HOLDING"; },
          [](const Retreating&) { return "RETREATING"; }, [](const Curing&) { return "CURING"; },
          [](const Watching&) { return "WATCHING"; }, [](const Completed&) { return "COMPLETED"; },
          [](const Aborted&) { return "ABORTED"; }, [](const Failed&) { return "FAILED"; }},
      phase);
}

Judgements JudgeAll(const Gate& gate, TimePoint now, bool preflight) {
  Judgements judgements;
  if (!gate.record.restoration) return judgements;
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  for (const CheckSpec& check : plan.checks) {
    judgements.emplace_back(check.name, Judge(check, gate.evidence, now));
  }
  if (!preflight) return judgements;
  for (const std::string& database : plan.preflight_databases) {
    const bool is_checked =
        std::any_of(plan.checks.begin(), plan.checks.end(), [&](const CheckSpec& check) {
          const auto* kind = std::get_if<DatabaseCheck>(&check.kind);
          return kind != nullptr && kind->database == database;
        });
    if (is_checked) continue;
    judgements.emplace_back("database " + database,
                            JudgeDatabase(database, kPreflightDatabaseFresh, gate.evidence, now));
  }
  return judgements;
}

std::uint32_t WeightPpmOf(const Gate& gate, const std::string& agent) {
  std::uint64_t total = 0;
  for (const auto& [name, view] : gate.evidence.agents) total += WeightOf(gate.evidence, name);
  if (total == 0) return 0;
  return static_cast<std::uint32_t>(WeightOf(gate.evidence, agent) * Share::kPpmMax / total);
}

bool IsObserved(const Gate& gate) {
  std::uint64_t total = 0;
  std::uint64_t observed = 0;
  bool have_all = !gate.evidence.agents.empty();
  for (const std::string& name : ExpectedAgents(gate)) {
    const auto found = gate.evidence.agents.find(name);
    const std::uint64_t weight = WeightOf(gate.evidence, name);
    const bool has = found != gate.evidence.agents.end() && HasObserved(gate, found->second);
    total += weight;
    observed += has ? weight : 0;
    have_all = have_all && has;
  }
  if (have_all) return true;
  return total > 0 && observed * Share::kPpmMax >= total * kQuorumPpm;
}

std::vector<std::string> AgentObstacles(const Gate& gate, TimePoint now) {
  std::vector<std::string> obstacles;
  const bool is_observed = IsObserved(gate);
  const PlanSpec* plan = gate.record.restoration ? &gate.record.restoration->plan.spec() : nullptr;
  std::size_t connected = 0;
  for (const std::string& name : ExpectedAgents(gate)) {
    const auto found = gate.evidence.agents.find(name);
    if (found == gate.evidence.agents.end()) {
      obstacles.push_back(fmt::format(
          "agent {} has not connected: what its load balancer admits is unknown", name));
      continue;
    }
    const AgentView& agent = found->second;
    connected += agent.connected ? 1 : 0;
    // One that refuses, or that an operator overrides on its box, forbids raising whatever its
    // weight; one that is merely late only where it carries traffic that the quorum needs.
    const bool always_counts = agent.stage == AgentView::Stage::kRefused ||
                               !agent.local_override.empty() || IsInPreflight(gate);
    if (!HasObserved(gate, agent) && (!is_observed || always_counts)) {
      obstacles.push_back(fmt::format("agent {} {}", name, WhyNotObserved(gate, agent)));
    }
    if (plan != nullptr && agent.connected) AddClaims(*plan, agent, obstacles);
    if (plan != nullptr && agent.connected && !NamesAgent(*plan, name)) {
      obstacles.push_back(fmt::format(
          "agent {} is not in the plan: add it, or stop it and `headgate agents remove {} {}`",
          name, gate.record.gate, name));
      continue;
    }
    const auto traffic = gate.evidence.traffic.find(name);
    const bool counts =
        traffic != gate.evidence.traffic.end() && now - traffic->second.last <= kCountsFresh;
    if (agent.connected && !counts) {
      obstacles.push_back(fmt::format("agent {} is blind: no counts from it for over {}", name,
                                      FormatDuration(kCountsFresh)));
    }
  }
  if (plan != nullptr && connected + gate.evidence.removed.size() < plan->agent_count) {
    obstacles.push_back(fmt::format("{} of {} agents are connected", connected, plan->agent_count));
  }
  if (gate.evidence.agents.empty() && obstacles.empty()) {
    obstacles.push_back("no agent has connected");
  }
  return obstacles;
}

std::vector<std::string> Obstacles(const State& state, const Gate& gate, TimePoint now) {
  std::vector<std::string> obstacles;
  if (!state.journal_trouble.empty()) {
    obstacles.push_back("the journal cannot record a raise: " + state.journal_trouble);
  } else if (!state.leads) {
    obstacles.push_back("this controller does not lead");
  } else if (!gate.recorded && !gate.pending) {
    obstacles.push_back("the last decision is not in the journal yet");
  }
  for (std::string& obstacle : AgentObstacles(gate, now)) obstacles.push_back(std::move(obstacle));
  AddChecks(gate, now, obstacles);
  return obstacles;
}

std::string JudgementText(const std::string& name, const Judgement& judgement,
                          const std::string& is) {
  // A finding says it all; how many there are, and that soundness is the bound, says nothing.
  const std::string text =
      judgement.findings.empty()
          ? fmt::format("{} (bound {}), {}", judgement.value, judgement.bound, judgement.detail)
          : judgement.detail;
  return fmt::format("{}{} {}: {}", name, is, NameOf(judgement.verdict), text);
}

Share NextStep(const Restoration& restoration, Share share) {
  for (const Share step : restoration.plan.spec().steps) {
    if (step > share) return step;
  }
  return Share::All();
}

Explanation Explain(const State& state, const Gate& gate, TimePoint now) {
  Explanation explanation;
  const GateRecord& record = gate.record;
  explanation.next = record.share;
  if (record.open_until) {
    explanation.doing =
        fmt::format("OPEN by an operator until {}, then back to {}", FormatTime(*record.open_until),
                    record.share_before_open.ToString());
  }
  if (!record.restoration) {
    if (explanation.doing.empty()) {
      explanation.doing = "at " + record.share.ToString() + ", no restoration";
    }
    return explanation;
  }
  const Restoration& restoration = *record.restoration;
  if (!record.open_until) {
    explanation.doing = HasMovedSince(gate, restoration)
                            ? Moved(gate, restoration.id + " was " + NameOf(restoration.phase))
                            : Doing(gate, restoration, now);
    if (gate.is_overdue) explanation.doing += "; it lasts too long, a person must look";
  }
  explanation.checks = JudgeAll(gate, now, IsInPreflight(gate));
  if (HasEnded(restoration)) return explanation;
  if (WillRise(restoration)) explanation.next = NextStep(restoration, record.share);
  if (gate.pending) explanation.waits_for.push_back("the journal, to record the next share");
  if (std::string end = EndOf(gate, restoration, now); !end.empty()) {
    explanation.waits_for.push_back(std::move(end));
  }
  for (std::string& obstacle : Obstacles(state, gate, now)) {
    explanation.waits_for.push_back(std::move(obstacle));
  }
  return explanation;
}

std::string AsList(std::string head, const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line = "\n  " + lines[i];
    if (i > 0 && head.size() + line.size() > kListBytesMax) {
      return head + fmt::format("\n  and {} more", lines.size() - i);
    }
    head += CutUtf8(line, kListBytesMax);
  }
  return head;
}

std::vector<std::string> EvidenceLines(const Gate& gate, TimePoint now) {
  std::vector<std::string> lines;
  for (const auto& [name, judgement] : JudgeAll(gate, now, IsInPreflight(gate))) {
    lines.push_back(JudgementText(name, judgement, ""));
  }
  return lines;
}

}  // namespace headgate::engine
