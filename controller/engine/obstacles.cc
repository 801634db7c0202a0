// What stands in the way of a raise.
#include "controller/engine/obstacles.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/duration.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/judge.h"

namespace headgate::engine {
namespace {

// Databases are looked at every second; the look before the last one may count.
constexpr Duration kPreflightDatabaseFresh{5'000};

// What was found, in words, or only whether anything was: words cost more than looking does.
class Found {
 public:
  explicit Found(bool in_words, bool may_lack_counts = false, bool may_be_pending = false)
      : in_words_(in_words), may_lack_counts_(may_lack_counts), may_be_pending_(may_be_pending) {}
  template <class Text>
  void Add(const Text& text) {
    any_ = true;
    if (in_words_) lines_.push_back(text());
  }
  bool any() const { return any_; }
  bool in_words() const { return in_words_; }
  bool may_lack_counts() const { return may_lack_counts_; }
  bool may_be_pending() const { return may_be_pending_; }
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  const bool in_words_;
  const bool may_lack_counts_;
  const bool may_be_pending_;
  bool any_ = false;
  std::vector<std::string> lines_;
};

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

void AddClaims(const PlanSpec& plan, const AgentView& agent, Found& found) {
  if (agent.admit_by != plan.admit_by) {
    found.Add([&] {
      return fmt::format("agent {}: its load balancer admits by '{}', the plan says '{}'",
                         agent.name, agent.admit_by, plan.admit_by);
    });
  }
  for (const CheckSpec& check : plan.checks) {
    const AgentRatio* source = AgentRatioOf(check);
    if (source == nullptr || source->metric != AgentRatio::Metric::kSlowerThan) continue;
    const auto& counted = agent.slow_thresholds_ms;
    const auto wanted = static_cast<std::uint32_t>(source->slower_than.count());
    if (std::find(counted.begin(), counted.end(), wanted) == counted.end()) {
      found.Add([&] {
        return fmt::format("agent {}: its load balancer does not count answers slower than {}",
                           agent.name, FormatDuration(source->slower_than));
      });
    }
  }
}

// Without users there is nothing to count: preflight stands in for the ratios.
bool MayBeTooFew(const Gate& gate) { return gate.record.share == Share::None(); }

void AddChecks(const Gate& gate, TimePoint now, Found& found) {
  // A restoration that has ended asks nothing any more.
  if (gate.record.restoration && HasEnded(*gate.record.restoration)) return;
  for (const auto& [name, judgement] : JudgeAll(gate, now, IsInPreflight(gate), found.in_words())) {
    if (judgement.verdict == Verdict::kHealthy) {
      if (now - *judgement.age < gate.share_changed) {
        found.Add([&, &check = name] {
          return fmt::format("check {} has not been read since the share changed", check);
        });
      }
      continue;
    }
    const bool may_be_too_few = found.may_lack_counts() || MayBeTooFew(gate);
    if (judgement.unknown_why == UnknownWhy::kTooFew && may_be_too_few) continue;
    if (judgement.unknown_why == UnknownWhy::kPending && found.may_be_pending()) continue;
    found.Add([&, &check = name, &said = judgement] {
      return "check " + JudgementText(check, said, " is");
    });
    for (std::size_t i = 1; i < judgement.findings.size(); ++i) {
      found.Add([&, &check = name, &said = judgement] {
        return fmt::format("check {}: {}", check, said.findings[i]);
      });
    }
  }
}

void AddAgents(const Gate& gate, TimePoint now, Found& found) {
  const bool is_observed = IsObserved(gate);
  const PlanSpec* plan = gate.record.restoration ? &gate.record.restoration->plan.spec() : nullptr;
  std::size_t connected = 0;
  for (const std::string& name : ExpectedAgents(gate)) {
    const auto known = gate.evidence.agents.find(name);
    if (known == gate.evidence.agents.end()) {
      found.Add([&] {
        return fmt::format("agent {} has not connected: what its load balancer admits is unknown",
                           name);
      });
      continue;
    }
    const AgentView& agent = known->second;
    connected += agent.connected ? 1 : 0;
    // One that refuses, or that an operator overrides on its box, forbids raising whatever its
    // weight; one that is merely late only where it carries traffic that the quorum needs.
    const bool always_counts = agent.stage == AgentView::Stage::kRefused ||
                               !agent.local_override.empty() || IsInPreflight(gate);
    if (!HasObserved(gate, agent) && (!is_observed || always_counts)) {
      found.Add([&] { return fmt::format("agent {} {}", name, WhyNotObserved(gate, agent)); });
    }
    if (plan != nullptr && agent.connected) AddClaims(*plan, agent, found);
    if (plan != nullptr && agent.connected && !NamesAgent(*plan, name)) {
      found.Add([&] {
        return fmt::format(
            "agent {} is not in the plan: add it, or stop it and `headgate agents remove {} {}`",
            name, gate.record.gate, name);
      });
      continue;
    }
    const auto traffic = gate.evidence.traffic.find(name);
    const bool counts =
        traffic != gate.evidence.traffic.end() && now - traffic->second.last <= kCountsFresh;
    if (agent.connected && !counts) {
      found.Add([&] {
        return fmt::format("agent {} is blind: no counts from it for over {}", name,
                           FormatDuration(kCountsFresh));
      });
    }
  }
  if (plan != nullptr && connected + gate.record.removed.size() < plan->agent_count) {
    found.Add(
        [&] { return fmt::format("{} of {} agents are connected", connected, plan->agent_count); });
  }
  if (gate.evidence.agents.empty() && !found.any()) {
    found.Add([] { return std::string("no agent has connected"); });
  }
}

void AddJournal(const State& state, const Gate& gate, Found& found) {
  if (!state.journal_trouble.empty()) {
    found.Add([&] { return "the journal cannot record a raise: " + state.journal_trouble; });
  } else if (!state.leads) {
    found.Add([] { return std::string("this controller does not lead"); });
  } else if (!gate.recorded && !gate.pending) {
    found.Add([] { return std::string("the last decision is not in the journal yet"); });
  }
}

void AddAll(const State& state, const Gate& gate, TimePoint now, Found& found) {
  AddJournal(state, gate, found);
  AddAgents(gate, now, found);
  AddChecks(gate, now, found);
}

}  // namespace

std::set<std::string> ExpectedAgents(const Gate& gate) {
  std::set<std::string> expected = gate.record.agents;
  for (const auto& [name, agent] : gate.evidence.agents) expected.insert(name);
  if (gate.record.restoration) {
    const PlanSpec& plan = gate.record.restoration->plan.spec();
    expected.insert(plan.agents.begin(), plan.agents.end());
  }
  for (const std::string& name : gate.record.removed) {
    const auto back = gate.evidence.agents.find(name);
    if (back == gate.evidence.agents.end() || !back->second.connected) expected.erase(name);
  }
  return expected;
}

bool IsInPreflight(const Gate& gate) {
  return gate.record.share == Share::None() ||
         (gate.record.restoration &&
          std::holds_alternative<Preflight>(gate.record.restoration->phase));
}

Judgements JudgeAll(const Gate& gate, TimePoint now, bool preflight, bool in_words) {
  Judgements judgements;
  if (!gate.record.restoration) return judgements;
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  const Scale scale{.against_bar = plan.adaptive ? AgainstBar(*gate.record.restoration) : 0,
                    .in_words = in_words,
                    .in_preflight = IsInPreflight(gate)};
  judgements.reserve(plan.checks.size());
  for (const CheckSpec& check : plan.checks) {
    judgements.emplace_back(check.name, Judge(check, gate.evidence, now, scale));
  }
  if (!preflight) return judgements;
  for (const std::string& database : plan.preflight_databases) {
    const bool is_checked =
        std::any_of(plan.checks.begin(), plan.checks.end(), [&](const CheckSpec& check) {
          const auto* kind = std::get_if<DatabaseCheck>(&check.kind);
          return kind != nullptr && kind->database == database;
        });
    if (is_checked) continue;
    judgements.emplace_back("database " + database, JudgeDatabase(database, kPreflightDatabaseFresh,
                                                                  gate.evidence, now, scale));
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
  Found found(true);
  AddAgents(gate, now, found);
  return found.Take();
}

std::vector<std::string> Obstacles(const State& state, const Gate& gate, TimePoint now,
                                   bool may_lack_counts) {
  Found found(true, may_lack_counts);
  AddAll(state, gate, now, found);
  return found.Take();
}

bool IsClear(const State& state, const Gate& gate, TimePoint now, bool may_lack_counts,
             bool may_be_pending) {
  Found found(false, may_lack_counts, may_be_pending);
  AddAll(state, gate, now, found);
  return !found.any();
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

}  // namespace headgate::engine
