// An agent that is gone for good: nobody waits for it any more.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "controller/engine/turn.h"

namespace headgate::engine {

absl::Status Remove(Turn& turn, Gate& gate, const std::string& agent, const std::string& actor) {
  const auto found = gate.evidence.agents.find(agent);
  const bool is_known = found != gate.evidence.agents.end();
  const auto& restoration = gate.record.restoration;
  const bool is_running = restoration && !HasEnded(*restoration);
  const std::vector<std::string> none;
  const auto& named = is_running ? restoration->plan.spec().agents : none;
  if (!is_known && std::find(named.begin(), named.end(), agent) == named.end()) {
    return absl::NotFoundError(fmt::format("gate {} has no agent {}", gate.record.gate, agent));
  }
  if (is_known && found->second.connected) {
    return absl::FailedPreconditionError(
        fmt::format("agent {} is connected: stop it first, or it comes back at once", agent));
  }
  ForgetAgent(gate.evidence, agent);
  turn.Tell(gate, fmt::format("agent {} is removed by {}", agent, actor), false);
  return absl::OkStatus();
}

}  // namespace headgate::engine
