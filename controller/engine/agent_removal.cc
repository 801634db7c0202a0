// Which agents obey a gate: those that joined it, one that goes over to another part, and one that
// is gone for good, for which nobody waits any more.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/base/gate_name.h"
#include "controller/engine/obstacles.h"
#include "controller/engine/order_rules.h"
#include "controller/engine/turn.h"

namespace headgate::engine {

namespace {

// It was known at another part when the controller started, and came back with other labels.
void LeaveOthers(Turn& turn, const Gate& gate, const std::string& agent) {
  for (auto& [name, other] : turn.state().gates) {
    const bool is_other = name != gate.record.gate && WholeOf(name) == WholeOf(gate.record.gate);
    if (is_other && other.record.agents.contains(agent)) LeaveFor(turn, other, agent);
  }
}

}  // namespace

absl::Status Remove(Turn& turn, Gate& gate, const std::string& agent, Cause cause) {
  const auto found = gate.evidence.agents.find(agent);
  const bool is_known = found != gate.evidence.agents.end();
  if (!ExpectedAgents(gate).contains(agent)) {
    return absl::NotFoundError(fmt::format("gate {} has no agent {}", gate.record.gate, agent));
  }
  if (is_known && found->second.connected) {
    return absl::FailedPreconditionError(
        fmt::format("agent {} is connected: stop it first, or it comes back at once", agent));
  }
  if (gate.pending) return StillRecording(gate.record.gate);
  ForgetAgent(gate.evidence, agent);
  gate.record.agents.erase(agent);
  gate.record.removed.insert(agent);
  cause.why = agent + (cause.why.empty() ? "" : ": " + cause.why);
  turn.Tell(gate, fmt::format("agent {} is removed by {}", agent, cause.who), false);
  turn.Note(gate, std::move(cause));
  return absl::OkStatus();
}

void RecordNewAgents(Turn& turn, Gate& gate) {
  // With the next decision it would be too late where none comes, and with a raise that waits for
  // the journal it would undo it there.
  if (!turn.state().leads || gate.pending || IsAdopted(gate)) return;
  std::string names;
  for (const auto& [name, agent] : gate.evidence.agents) {
    const bool is_back = agent.connected && gate.record.removed.erase(name) > 0;
    const bool is_new = gate.record.agents.insert(name).second;
    if (is_new || is_back) names += (names.empty() ? "" : ", ") + name;
    if (is_new) LeaveOthers(turn, gate, name);
  }
  if (names.empty()) return;
  turn.Note(gate, Cause{.kind = Cause::Kind::kAgent, .who = names, .what = "join"});
}

void LeaveFor(Turn& turn, Gate& gate, const std::string& agent) {
  ForgetAgent(gate.evidence, agent);
  if (gate.pending) gate.pending->next.agents.erase(agent);
  if (gate.record.agents.erase(agent) == 0 || gate.pending || !turn.state().leads) return;
  turn.Note(gate, Cause{.kind = Cause::Kind::kAgent, .who = agent, .what = "leave"});
}

}  // namespace headgate::engine
