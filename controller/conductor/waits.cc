#include "controller/conductor/waits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/gate_name.h"
#include "common/base/rounded.h"
#include "controller/engine/obstacles.h"

namespace headgate::conductor {
namespace {

// Where an order must arrive: at the agents of one gate.
struct Target {
  std::string name;
  // Null: there is none any more.
  const engine::Gate* gate = nullptr;
  Version version;
  WaitFor wait_for = WaitFor::kSent;
};

// A version that is newer than the gate's own is of another reign, and may be about anything.
bool HasReached(const fleet::GateReport& report, const Target& target) {
  if (report.version < target.version) return false;
  if (target.gate == nullptr || report.version > target.gate->record.version) return false;
  if (report.stage == fleet::Stage::kObserved) return true;
  return target.wait_for == WaitFor::kApplied && report.stage == fleet::Stage::kApplied;
}

// What the load balancer does now, for those who ask what their users meet.
std::string Enforced(const fleet::GateReport& report, Share told) {
  const bool is_above = report.enforced > told;
  return fmt::format("{} {}", is_above ? "still enforces" : "enforces", report.enforced.ToString());
}

std::string WhySilent(const fleet::Agent& agent, const fleet::GateReport& report, TimePoint now) {
  std::string text = fmt::format("not connected for {}",
                                 FormatRounded(std::max(now - agent.last_seen, Duration(0))));
  if (report.stage == fleet::Stage::kIdle) return text + ", what it lets in is unknown";
  return text + fmt::format(", enforced {} when last heard", report.enforced.ToString());
}

// What the gate's load balancers should have by now.
struct Asked {
  Version version;
  // The gate's own; an answer to a later order answers this one too.
  Version newest;
  Share share;
};

std::string WhyMissing(const fleet::Agent& agent, const fleet::GateReport& report,
                       const Asked& asked, TimePoint now) {
  if (!agent.IsConnected(now)) return WhySilent(agent, report, now);
  if (agent.HasRival(now)) return fleet::RivalText(agent);
  // A word that its load balancer does not obey holds nothing.
  if (report.local_override && report.enforced <= report.local_override->share) {
    return fmt::format(
        "a local override holds it at {}{}", report.enforced.ToString(),
        report.local_override->until
            ? fmt::format(" until {} UTC", FormatTimeOfDay(*report.local_override->until))
            : std::string(" until it is released there"));
  }
  switch (report.stage) {
    case fleet::Stage::kRefused:
      return fmt::format("{}, refuses: {}", Enforced(report, asked.share),
                         report.refusal ? report.refusal->detail : "it does not say why");
    case fleet::Stage::kIdle:
      return "has not taken up the gate: its load balancer is as it was, what it lets in is "
             "unknown";
    case fleet::Stage::kReceived:
    case fleet::Stage::kApplied:
    case fleet::Stage::kObserved:
      break;
  }
  std::string text = Enforced(report, asked.share);
  if (report.version < asked.version) return text + " (has not answered the order yet)";
  if (report.version > asked.newest) {
    return text + fmt::format(
                      " (it holds {}, of a reign that this controller does not know: "
                      "`headgated --adopt-epoch {}` reigns above it)",
                      report.version.ToString(), report.version.epoch);
  }
  if (report.stage == fleet::Stage::kReceived) {
    return text + " (has the order, its load balancer does not obey yet)";
  }
  return text + " (says its agent, requests have not proven it yet)";
}

const engine::Gate* FindGate(const engine::State& state, const std::string& name) {
  const auto found = state.gates.find(name);
  return found == state.gates.end() ? nullptr : &found->second;
}

// A raise that is neither in force nor waits for the journal any more has failed.
void FollowRaise(Wait& wait, const engine::State& state, const engine::Gate* gate) {
  if (!wait.is_pending_raise) return;
  if (gate != nullptr && gate->pending && gate->pending->next.version == wait.version) return;
  wait.is_pending_raise = false;
  if (gate != nullptr && gate->record.version == wait.version) return;
  if (!state.journal_trouble.empty()) {
    wait.answer.status = absl::UnavailableError(
        "nothing was raised, because it could not be recorded: " + state.journal_trouble);
    return;
  }
  wait.answer.status = absl::AbortedError(
      "nothing was raised: a newer decision came before it was recorded, or it came too late");
}

// The agents, as of now, in a reign that began at `started`.
struct Scene {
  const engine::State& state;
  const fleet::Fleet& fleet;
  TimePoint now;
  TimePoint started;
};

// Also agents that only the plan or the journal knows: after a restart they may not be back yet,
// and they enforce what they had.
std::vector<Unconfirmed> MissingAt(const Target& target, const Scene& scene) {
  const auto& [state, fleet, now, started] = scene;
  const engine::Gate* gate = target.gate;
  std::vector<Unconfirmed> missing;
  const Asked asked = {.version = target.version,
                       .newest = gate == nullptr ? target.version : gate->record.version,
                       .share = gate == nullptr ? Share::None() : gate->record.share};
  std::size_t known = 0;
  for (const auto& [name, agent] : fleet.agents()) {
    const auto report = agent.gates.find(target.name);
    if (report == agent.gates.end()) continue;
    ++known;
    const bool is_heard = agent.IsConnected(now) && !agent.HasRival(now);
    if (is_heard && HasReached(report->second, target)) continue;
    missing.push_back({name, WhyMissing(agent, report->second, asked, now)});
  }
  const auto named = gate == nullptr ? std::set<std::string>() : engine::ExpectedAgents(*gate);
  for (const std::string& name : named) {
    const fleet::Agent* agent = fleet.Find(name);
    // Also one that has gone over to another part since.
    const bool is_known =
        agent != nullptr && fleet::FindReport(*agent, WholeOf(target.name)) != nullptr;
    if (is_known) continue;
    ++known;
    missing.push_back(
        {name, "has not connected since the controller started, what it lets in is unknown"});
  }
  const std::size_t removed = gate == nullptr ? 0 : gate->record.removed.size();
  // Whoever is gone for good confirms nothing: where there is nobody else, nobody has confirmed.
  if (known == 0 && gate != nullptr) {
    for (const std::string& name : gate->record.removed) {
      missing.push_back(
          {name, "was removed from the quorum; what its load balancer lets in is unknown"});
    }
  }
  const bool has_plan = gate != nullptr && gate->record.restoration;
  const std::size_t wanted = has_plan ? gate->record.restoration->plan.spec().agent_count : 0;
  // Nobody to ask is nobody who has confirmed.
  const std::size_t expected = std::max<std::size_t>(wanted, named.empty() ? 1 : 0);
  if (known + removed < expected) {
    const std::string of_part =
        IsPart(target.name)
            ? fmt::format(
                  " of {} (are its labels, which `headgate gates` shows, those of an "
                  "agent's configuration?)",
                  target.name)
            : "";
    missing.push_back(
        {"(any)", fmt::format("{} of at least {} agents{} have connected since the controller "
                              "started; a load balancer enforces what it was told last",
                              known, expected, of_part)});
  }
  // Nobody names the agents of a gate of an old journal: one may be on its way back.
  const bool is_recovered = gate != nullptr && gate->recovered != Version{};
  const bool is_named = has_plan && !gate->record.restoration->plan.spec().agents.empty();
  const bool is_counted = is_named || (gate != nullptr && gate->knows_agents) ||
                          (wanted > 0 && known + removed >= wanted);
  if (missing.empty() && is_recovered && !is_counted && now - started < kComingBack) {
    missing.push_back(
        {"(any)", fmt::format("this controller started {} ago: a load balancer that has not come "
                              "back yet is not known, and enforces what it was told last",
                              FormatRounded(now - started))});
  }
  return missing;
}

std::vector<Target> TargetsOf(const Wait& wait, const engine::State& state) {
  std::vector<Target> targets = {
      {wait.gate, FindGate(state, wait.gate), wait.version, wait.wait_for}};
  for (const auto& [part, version] : wait.parts) {
    targets.push_back({part, FindGate(state, part), version, wait.wait_for});
  }
  return targets;
}

std::vector<Unconfirmed> Missing(const Wait& wait, const Scene& scene) {
  std::vector<Unconfirmed> missing;
  if (wait.wait_for != WaitFor::kApplied && wait.wait_for != WaitFor::kObserved) return missing;
  for (const Target& target : TargetsOf(wait, scene.state)) {
    // A whole whose agents all obey parts has nobody to ask.
    const bool is_left_empty =
        !wait.parts.empty() && target.name == wait.gate &&
        std::none_of(scene.fleet.agents().begin(), scene.fleet.agents().end(),
                     [&](const auto& entry) { return entry.second.gates.contains(wait.gate); });
    if (is_left_empty) continue;
    for (Unconfirmed& one : MissingAt(target, scene)) missing.push_back(std::move(one));
  }
  return missing;
}

bool HasArrived(const Wait& wait, bool is_recorded, const Scene& scene) {
  if (wait.wait_for == WaitFor::kRecorded) return is_recorded;
  for (const Target& target : TargetsOf(wait, scene.state)) {
    // A raise is sent only when it is recorded.
    if (target.gate == nullptr || target.gate->record.version < target.version) return false;
  }
  return Missing(wait, scene).empty();
}

}  // namespace

void Waits::Add(Wait wait) {
  if (waits_.size() >= kWaitsMax) {
    wait.answer.status = absl::ResourceExhaustedError(
        fmt::format("{} calls wait already, the limit; the order itself was carried out: {}",
                    kWaitsMax, wait.answer.summary));
    wait.done(std::move(wait.answer));
    return;
  }
  waits_.push_back(std::move(wait));
}

void Waits::OnRecorded(const std::string& gate, std::uint64_t token) {
  for (Wait& wait : waits_) {
    if (wait.gate == gate && wait.token <= token) wait.is_recorded = true;
  }
}

void Waits::Settle(const engine::State& state, const fleet::Fleet& fleet, TimePoint now) {
  const Scene scene{.state = state, .fleet = fleet, .now = now, .started = started_};
  std::vector<Wait> ended;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const engine::Gate* gate = FindGate(state, wait->gate);
    FollowRaise(*wait, state, gate);
    const bool has_ended = !wait->answer.status.ok() ||
                           HasArrived(*wait, IsRecorded(*wait), scene) || now >= wait->deadline;
    if (!has_ended) {
      ++wait;
      continue;
    }
    wait->answer.recorded = IsRecorded(*wait);
    wait->answer.unconfirmed = Missing(*wait, scene);
    ended.push_back(std::move(*wait));
    wait = waits_.erase(wait);
  }
  for (Wait& wait : ended) wait.done(std::move(wait.answer));
}

void Waits::EndAll(const engine::State& state, const fleet::Fleet& fleet, TimePoint now) {
  const Scene scene{.state = state, .fleet = fleet, .now = now, .started = started_};
  for (Wait& wait : std::exchange(waits_, {})) {
    const engine::Gate* gate = FindGate(state, wait.gate);
    FollowRaise(wait, state, gate);
    wait.answer.recorded = IsRecorded(wait);
    wait.answer.unconfirmed = Missing(wait, scene);
    wait.done(std::move(wait.answer));
  }
}

}  // namespace headgate::conductor
