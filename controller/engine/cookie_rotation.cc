// New keys for a gate's cookies, so that no user loses a place: a key is first accepted by every
// load balancer, then it signs, and the one before it goes on being accepted.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/gate_name.h"
#include "controller/engine/obstacles.h"
#include "controller/engine/order_rules.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

bool Accepts(const AgentView& agent, const Version& version) {
  return agent.connected && agent.version == version &&
         (agent.stage == AgentView::Stage::kApplied || agent.stage == AgentView::Stage::kObserved);
}

// The first agent that may not accept what was published last, for people; empty: all do. One that
// is not back since the controller started may not; and nobody at all is nobody who accepts it.
std::string WaitsFor(const std::vector<const Gate*>& family) {
  bool has_agents = false;
  for (const Gate* gate : family) {
    const auto& known = gate->evidence.agents;
    for (const std::string& name : ExpectedAgents(*gate)) {
      has_agents = true;
      const auto agent = known.find(name);
      if (agent != known.end() && Accepts(agent->second, gate->record.version)) continue;
      return fmt::format(
          "{0} has not confirmed it; `headgate agents remove {1} {0}` if it is gone for good", name,
          gate->record.gate);
    }
  }
  return has_agents ? "" : "no load balancer has connected";
}

bool IsBelowAll(const Gate& gate) {
  return gate.record.share < Share::All() || IsRestoring(gate.record);
}

}  // namespace

absl::Status BeginRotation(const State& state, const Gate& gate, CookieKey key, CookieKeys& next) {
  const std::string& name = gate.record.gate;
  if (IsPart(name)) {
    return absl::FailedPreconditionError(
        fmt::format("the parts of a gate accept the same cookies: `headgate gates rotate-key {}`",
                    WholeOf(name)));
  }
  const std::vector<const Gate*> family = FamilyOf(state, gate);
  const bool is_raised = std::any_of(
      family.begin(), family.end(), [](const Gate* member) { return member->pending.has_value(); });
  if (gate.pending || is_raised) return StillRecording(gate.record.gate);
  if (IsAdopted(gate)) {
    return absl::FailedPreconditionError(fmt::format(
        "gate {0} is known only from its agents: `headgate gates create {0}` first", name));
  }
  const CookieKeys& present = gate.record.cookie_keys;
  if (present.HasStaged()) {
    return absl::FailedPreconditionError(fmt::format("cookie key {} is still being handed out: {}",
                                                     present.keys.back().id, WaitsFor(family)));
  }
  const bool some_are_in = std::any_of(family.begin(), family.end(), [](const Gate* member) {
    return member->record.share > Share::None() && member->record.share < Share::All();
  });
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
  if (!present.HasStaged() || !turn.state().leads) return;
  const std::vector<const Gate*> family = FamilyOf(turn.state(), gate);
  const bool is_settled = std::all_of(family.begin(), family.end(), [](const Gate* member) {
    return !member->pending && member->recorded;
  });
  if (!is_settled || !WaitsFor(family).empty()) return;
  CookieKeys next = present;
  const std::uint32_t before = std::exchange(next.issuing, present.keys.back().id);
  if (std::none_of(family.begin(), family.end(),
                   [](const Gate* one) { return IsBelowAll(*one); })) {
    // Nobody has a place to lose: only cookies of the newest two keys are still of use.
    std::erase_if(next.keys,
                  [&](const CookieKey& key) { return key.id != before && key.id != next.issuing; });
  }
  const Cause cause{.kind = Cause::Kind::kPlan,
                    .what = "sign by the new cookie key",
                    .why = fmt::format("every load balancer accepts key {}", next.issuing)};
  const std::string whole = WholeOf(gate.record.gate);
  for (auto& [name, member] : turn.state().gates) {
    if (!member.exists || WholeOf(name) != whole) continue;
    GateRecord signs = member.record;
    signs.cookie_keys = next;
    turn.Commit(member, std::move(signs), cause);
  }
}

}  // namespace headgate::engine
