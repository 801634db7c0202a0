#include "controller/conductor/waits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/duration.h"

namespace headgate::conductor {
namespace {

const char* NameOf(fleet::Stage stage) {
  switch (stage) {
    case fleet::Stage::kIdle:
      return "idle";
    case fleet::Stage::kReceived:
      return "received, not applied";
    case fleet::Stage::kApplied:
      return "applied, not observed";
    case fleet::Stage::kObserved:
      return "observed";
    case fleet::Stage::kRefused:
      return "refused";
  }
  return "unknown";
}

// A version that is newer than the gate's own is of another reign, and may be about anything.
bool HasReached(const fleet::GateReport& report, const Wait& wait, const engine::Gate* gate) {
  if (report.version < wait.version) return false;
  if (gate == nullptr || report.version > gate->record.version) return false;
  if (report.stage == fleet::Stage::kObserved) return true;
  return wait.wait_for == WaitFor::kApplied && report.stage == fleet::Stage::kApplied;
}

std::string WhyMissing(const fleet::Agent& agent, const fleet::GateReport& report, const Wait& wait,
                       TimePoint now) {
  if (!agent.IsConnected(now)) {
    return fmt::format("not connected, last seen {} ago", FormatDuration(now - agent.last_seen));
  }
  if (agent.HasRival(now)) return fleet::RivalText(agent);
  if (report.stage == fleet::Stage::kRefused && report.refusal) {
    return "refuses: " + report.refusal->detail;
  }
  if (report.version < wait.version) {
    return fmt::format("has version {}, not yet {}", report.version.ToString(),
                       wait.version.ToString());
  }
  return NameOf(report.stage);
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

// Also agents that only the plan knows: after a restart they may not be back yet, and they enforce
// what they had.
std::vector<Unconfirmed> Missing(const Wait& wait, const engine::Gate* gate,
                                 const fleet::Fleet& fleet, TimePoint now) {
  std::vector<Unconfirmed> missing;
  if (wait.wait_for != WaitFor::kApplied && wait.wait_for != WaitFor::kObserved) return missing;
  std::size_t known = 0;
  for (const auto& [name, agent] : fleet.agents()) {
    const auto report = agent.gates.find(wait.gate);
    if (report == agent.gates.end()) continue;
    ++known;
    const bool is_heard = agent.IsConnected(now) && !agent.HasRival(now);
    if (is_heard && HasReached(report->second, wait, gate)) continue;
    missing.push_back({name, WhyMissing(agent, report->second, wait, now)});
  }
  const bool has_plan = gate != nullptr && gate->record.restoration;
  const auto named =
      has_plan ? gate->record.restoration->plan.spec().agents : std::vector<std::string>();
  for (const std::string& name : named) {
    const fleet::Agent* agent = fleet.Find(name);
    const bool is_known = agent != nullptr && agent->gates.contains(wait.gate);
    if (is_known || gate->evidence.removed.contains(name)) continue;
    missing.push_back({name, "has not connected since the controller started"});
  }
  const std::size_t removed = gate == nullptr ? 0 : gate->evidence.removed.size();
  const std::size_t wanted = has_plan ? gate->record.restoration->plan.spec().agent_count : 0;
  // Nobody to ask is nobody who has confirmed.
  const std::size_t expected = std::max<std::size_t>(wanted, named.empty() ? 1 : 0);
  if (known + removed < expected) {
    missing.push_back(
        {"(any)", fmt::format("{} of at least {} agents have connected since the controller "
                              "started; a load balancer enforces what it was told last",
                              known, expected)});
  }
  return missing;
}

bool HasArrived(const Wait& wait, bool is_recorded, const engine::Gate* gate,
                const fleet::Fleet& fleet, TimePoint now) {
  if (wait.wait_for == WaitFor::kRecorded) return is_recorded;
  // A raise is sent only when it is recorded.
  if (gate == nullptr || gate->record.version < wait.version) return false;
  return Missing(wait, gate, fleet, now).empty();
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
  std::vector<Wait> ended;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const engine::Gate* gate = FindGate(state, wait->gate);
    FollowRaise(*wait, state, gate);
    const bool has_ended = !wait->answer.status.ok() ||
                           HasArrived(*wait, IsRecorded(*wait), gate, fleet, now) ||
                           now >= wait->deadline;
    if (!has_ended) {
      ++wait;
      continue;
    }
    wait->answer.recorded = IsRecorded(*wait);
    wait->answer.unconfirmed = Missing(*wait, gate, fleet, now);
    ended.push_back(std::move(*wait));
    wait = waits_.erase(wait);
  }
  for (Wait& wait : ended) wait.done(std::move(wait.answer));
}

void Waits::EndAll(const engine::State& state, const fleet::Fleet& fleet, TimePoint now) {
  for (Wait& wait : std::exchange(waits_, {})) {
    const engine::Gate* gate = FindGate(state, wait.gate);
    FollowRaise(wait, state, gate);
    wait.answer.recorded = IsRecorded(wait);
    wait.answer.unconfirmed = Missing(wait, gate, fleet, now);
    wait.done(std::move(wait.answer));
  }
}

}  // namespace headgate::conductor
