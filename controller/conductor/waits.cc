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

bool HasReached(const fleet::GateReport& report, const Wait& wait) {
  if (report.version < wait.version) return false;
  if (report.stage == fleet::Stage::kObserved) return true;
  return wait.wait_for == WaitFor::kApplied && report.stage == fleet::Stage::kApplied;
}

std::string WhyMissing(const fleet::Agent& agent, const fleet::GateReport& report, const Wait& wait,
                       TimePoint now) {
  if (!agent.IsConnected(now)) {
    return fmt::format("not connected, last seen {} ago", FormatDuration(now - agent.last_seen));
  }
  if (report.stage == fleet::Stage::kRefused && report.refusal) {
    return "refuses: " + report.refusal->detail;
  }
  if (report.version < wait.version) {
    return fmt::format("has version {}, not yet {}", report.version.ToString(),
                       wait.version.ToString());
  }
  return NameOf(report.stage);
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

void Waits::OnRecorded(std::uint64_t token) { recorded_token_ = std::max(recorded_token_, token); }

std::vector<Unconfirmed> Waits::Missing(const Wait& wait, const fleet::Fleet& fleet,
                                        TimePoint now) const {
  std::vector<Unconfirmed> missing;
  if (wait.wait_for != WaitFor::kApplied && wait.wait_for != WaitFor::kObserved) return missing;
  for (const auto& [name, agent] : fleet.agents()) {
    const auto report = agent.gates.find(wait.gate);
    if (report == agent.gates.end()) continue;
    if (agent.IsConnected(now) && HasReached(report->second, wait)) continue;
    missing.push_back({name, WhyMissing(agent, report->second, wait, now)});
  }
  return missing;
}

bool Waits::HasArrived(const Wait& wait, const engine::State& state, const fleet::Fleet& fleet,
                       TimePoint now) const {
  if (wait.wait_for == WaitFor::kRecorded) return IsRecorded(wait);
  const auto gate = state.gates.find(wait.gate);
  // A raise is sent only when it is recorded.
  if (gate == state.gates.end() || gate->second.record.version < wait.version) return false;
  return Missing(wait, fleet, now).empty();
}

void Waits::Settle(const engine::State& state, const fleet::Fleet& fleet, TimePoint now) {
  // `done` may add a wait: the list is walked, not iterated by range.
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const bool has_arrived = HasArrived(*wait, state, fleet, now);
    if (!has_arrived && now < wait->deadline) {
      ++wait;
      continue;
    }
    Wait ended = std::move(*wait);
    wait = waits_.erase(wait);
    ended.answer.recorded = IsRecorded(ended);
    ended.answer.unconfirmed = Missing(ended, fleet, now);
    ended.done(std::move(ended.answer));
  }
}

void Waits::EndAll() {
  for (Wait& wait : std::exchange(waits_, {})) {
    wait.answer.recorded = IsRecorded(wait);
    wait.done(std::move(wait.answer));
  }
}

}  // namespace headgate::conductor
