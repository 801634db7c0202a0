// New keys for a gate's cookies, so that no user loses a place: a key is first accepted by every
// load balancer, then it signs, and the one before it goes on being accepted.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

bool Accepts(const AgentView& agent, const Version& version) {
  return agent.connected && agent.version == version &&
         (agent.stage == AgentView::Stage::kApplied || agent.stage == AgentView::Stage::kObserved);
}

// The first agent that may not accept what was published last; empty: all do.
std::string WaitsFor(const Gate& gate) {
  const auto& agents = gate.evidence.agents;
  const auto found = std::find_if(agents.begin(), agents.end(), [&](const auto& entry) {
    return !Accepts(entry.second, gate.record.version);
  });
  return found == agents.end() ? "" : found->first;
}

bool IsBelowAll(const Gate& gate) {
  const auto& restoration = gate.record.restoration;
  return gate.record.share < Share::All() || (restoration && !HasEnded(*restoration));
}

}  // namespace

absl::Status BeginRotation(const Gate& gate, CookieKey key, CookieKeys& next) {
  const std::string& name = gate.record.gate;
  if (gate.pending) {
    return absl::FailedPreconditionError("a raise is being recorded: try again in a second");
  }
  if (IsAdopted(gate)) {
    return absl::FailedPreconditionError(fmt::format(
        "gate {0} is known only from its agents: `headgate gates create {0}` first", name));
  }
  const CookieKeys& present = gate.record.cookie_keys;
  if (present.HasStaged()) {
    const std::string waits_for = WaitsFor(gate);
    return absl::FailedPreconditionError(fmt::format(
        "cookie key {} is still being handed out{}", present.keys.back().id,
        waits_for.empty()
            ? ""
            : fmt::format(": {} has not confirmed it; `headgate agents remove {} {}` if it is gone "
                          "for good",
                          waits_for, name, waits_for)));
  }
  const bool some_are_in = gate.record.share > Share::None() && gate.record.share < Share::All();
  if (present.empty() && gate.exists && some_are_in) {
    return absl::FailedPreconditionError(fmt::format(
        "the cookies of gate {} are not signed yet, and whoever has one would lose the place: "
        "begin when everybody is in, or nobody",
        name));
  }
  if (present.keys.size() >= kCookieKeysMax) {
    return absl::FailedPreconditionError(
        fmt::format("cookies of {} keys are accepted, the limit: rotate again when everybody is "
                    "in, so that nobody loses a place",
                    kCookieKeysMax));
  }
  next = present;
  if (!present.empty()) key.id = std::max(key.id, present.keys.back().id + 1);
  if (present.empty()) next.issuing = key.id;
  next.keys.push_back(std::move(key));
  if (next.AreSound()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("a cookie key has an id and {} secret bytes", kCookieSecretBytes));
}

std::string RotationText(const std::string& gate, const CookieKeys& keys) {
  const std::uint32_t id = keys.keys.back().id;
  if (!keys.HasStaged()) return fmt::format("{} signs its cookies by key {} from now on", gate, id);
  return fmt::format(
      "cookie key {} is handed out; {} signs new cookies by it as soon as every load balancer "
      "accepts it",
      id, gate);
}

void GoOnWithRotation(Turn& turn, Gate& gate) {
  const CookieKeys& present = gate.record.cookie_keys;
  if (!present.HasStaged() || gate.pending || !turn.state().leads || !gate.recorded) return;
  if (!WaitsFor(gate).empty()) return;
  GateRecord next = gate.record;
  const std::uint32_t before = std::exchange(next.cookie_keys.issuing, present.keys.back().id);
  if (!IsBelowAll(gate)) {
    // Nobody has a place to lose: only cookies of the newest two keys are still of use.
    std::erase_if(next.cookie_keys.keys, [&](const CookieKey& key) {
      return key.id != before && key.id != next.cookie_keys.issuing;
    });
  }
  turn.Commit(
      gate, std::move(next),
      Cause{.kind = Cause::Kind::kPlan,
            .what = "sign by the new cookie key",
            .why = fmt::format("every load balancer accepts key {}", present.keys.back().id)});
}

}  // namespace headgate::engine
