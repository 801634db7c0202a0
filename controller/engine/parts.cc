// A gate and its parts: a part is a gate of its own, obeyed by those agents of the whole that have
// its labels. They share what makes a user the same one everywhere, the keys of cookies, and the
// count of their revisions.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/gate_name.h"
#include "common/base/text.h"
#include "controller/engine/order_rules.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

constexpr std::size_t kLabelsMax = 8;

bool IsSameFamily(const std::string& a, const std::string& b) { return WholeOf(a) == WholeOf(b); }

std::string TextOf(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return text;
}

absl::Status CheckLabels(const Labels& labels) {
  const bool is_counted = !labels.empty() && labels.size() <= kLabelsMax;
  const bool fit = std::all_of(labels.begin(), labels.end(), [](const auto& label) {
    return !label.first.empty() && label.first.size() <= kLabelBytesMax && !label.second.empty() &&
           label.second.size() <= kLabelBytesMax;
  });
  if (is_counted && fit) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "a part has 1 to {} labels of at most {} bytes each, as the agents' "
      "configuration gives them: --label zone=eu-1; got {}",
      kLabelsMax, kLabelBytesMax, labels.empty() ? "none" : CutUtf8(TextOf(labels), 200)));
}

// Both ask for the same label with another value: no agent can be in both.
bool Exclude(const Labels& a, const Labels& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& label) {
    const auto other = b.find(label.first);
    return other != b.end() && other->second != label.second;
  });
}

absl::Status MayBeSplit(const Gate& whole) {
  const std::string& name = whole.record.gate;
  if (IsAdopted(whole)) {
    return absl::FailedPreconditionError(fmt::format(
        "gate {0} is known only from its agents: `headgate gates create {0}` first", name));
  }
  if (whole.pending) return StillRecording(name);
  if (whole.record.open_until) {
    return absl::FailedPreconditionError(fmt::format(
        "gate {0} is open by an operator's word, which a part would outlive: `headgate close {0}` "
        "first, or wait until {1}",
        name, FormatTime(*whole.record.open_until)));
  }
  if (IsRestoring(whole.record)) {
    return absl::FailedPreconditionError(
        fmt::format("restoration {0} of gate {1} is running and counts on its load balancers: "
                    "`headgate abort {1}` ends it, the share stays",
                    whole.record.restoration->id, name));
  }
  return absl::OkStatus();
}

std::uint64_t NextRevision(const State& state, const Gate& gate) {
  std::uint64_t next = std::max(gate.next_revision, state.next_revision);
  for (const auto& [name, other] : state.gates) {
    if (IsSameFamily(name, gate.record.gate)) next = std::max(next, other.next_revision);
  }
  return next;
}

}  // namespace

std::uint64_t TakeRevision(State& state, Gate& gate) {
  const std::uint64_t next = NextRevision(state, gate);
  gate.next_revision = next + 1;
  return next;
}

Version NewestRecovered(const State& state, const Gate& gate, const std::string& agent) {
  Version newest = gate.recovered;
  if (gate.recovered_agents.contains(agent)) return newest;
  const std::vector<const Gate*> family = FamilyOf(state, gate);
  const bool is_known = std::any_of(family.begin(), family.end(), [&](const Gate* other) {
    return other->recovered_agents.contains(agent);
  });
  for (const Gate* other : family) {
    if (is_known && !other->recovered_agents.contains(agent)) continue;
    newest = std::max(newest, other->recovered);
  }
  return newest;
}

std::vector<Gate*> PartsOf(State& state, const Gate& whole) {
  std::vector<Gate*> parts;
  if (IsPart(whole.record.gate)) return parts;
  for (auto& [name, gate] : state.gates) {
    if (gate.exists && IsPart(name) && IsSameFamily(name, whole.record.gate)) {
      parts.push_back(&gate);
    }
  }
  return parts;
}

std::string PartNames(State& state, const Gate& whole) {
  std::string names;
  for (const Gate* part : PartsOf(state, whole)) {
    names += (names.empty() ? "" : ", ") + part->record.gate;
  }
  return names;
}

std::vector<const Gate*> FamilyOf(const State& state, const Gate& gate) {
  std::vector<const Gate*> family;
  for (const auto& [name, other] : state.gates) {
    if (other.exists && IsSameFamily(name, gate.record.gate)) family.push_back(&other);
  }
  return family;
}

absl::StatusOr<GateRecord> Split(const State& state, const Gate& part, const Labels& labels) {
  const std::string& name = part.record.gate;
  if (part.exists || part.pending) {
    return absl::AlreadyExistsError(
        fmt::format("{0} exists already: `headgate status {0}` shows it", name));
  }
  if (absl::Status status = CheckLabels(labels); !status.ok()) return status;
  const Gate& whole = state.gates.at(WholeOf(name));
  if (absl::Status status = MayBeSplit(whole); !status.ok()) return status;
  for (const auto& [other, gate] : state.gates) {
    const bool is_sibling = IsPart(other) && IsSameFamily(other, name) && other != name;
    if (!is_sibling ||
        Exclude(gate.pending ? gate.pending->next.labels : gate.record.labels, labels))
      continue;
    return absl::FailedPreconditionError(fmt::format(
        "a load balancer with {} could be in {} too, which has {}: parts differ in the value of "
        "one label that both have",
        TextOf(labels), other, TextOf(gate.record.labels)));
  }
  GateRecord next = part.record;
  next.share = whole.record.share;
  // Who enforces less, say by a restart, is not raised by it.
  next.no_raise = whole.record.no_raise || next.share > Share::None();
  next.cookie_keys = whole.record.cookie_keys;
  next.labels = labels;
  return next;
}

bool StillParts(const State& state, const GateRecord& part) {
  const auto whole = state.gates.find(WholeOf(part.gate));
  return whole != state.gates.end() && whole->second.exists && MayBeSplit(whole->second).ok() &&
         whole->second.record.share == part.share &&
         whole->second.record.cookie_keys == part.cookie_keys;
}

absl::Status MayRemove(State& state, const Gate& gate) {
  const std::string& name = gate.record.gate;
  if (IsRestoring(gate.record)) {
    return absl::FailedPreconditionError(
        fmt::format("restoration {0} of {1} is running: `headgate abort {1}` ends it",
                    gate.record.restoration->id, name));
  }
  if (gate.pending) return StillRecording(name);
  if (!IsPart(name)) {
    if (const std::string parts = PartNames(state, gate); !parts.empty()) {
      return absl::FailedPreconditionError(
          fmt::format("gate {} has parts: remove {} first", name, parts));
    }
    for (const auto& [agent, view] : gate.evidence.agents) {
      if (!view.connected) continue;
      return absl::FailedPreconditionError(fmt::format(
          "agent {} obeys gate {}: take the gate out of its configuration first", agent, name));
    }
    return absl::OkStatus();
  }
  const auto found = state.gates.find(WholeOf(name));
  if (found == state.gates.end()) {
    return absl::FailedPreconditionError(
        fmt::format("gate {0} is not known, and {1} cannot be a part of it again: `headgate gates "
                    "create {0}` first, at the share of {1}",
                    WholeOf(name), name));
  }
  const Gate& whole = found->second;
  if (absl::Status status = MayBeSplit(whole); !status.ok()) return status;
  // Of nobody's nobody is let in or put out.
  if (gate.record.agents.empty() && gate.evidence.agents.empty()) return absl::OkStatus();
  if (gate.record.open_until || gate.record.share != whole.record.share) {
    return absl::FailedPreconditionError(fmt::format(
        "{} is at {}{} and {} at {}: bring both to one share first, so that nobody is let in or "
        "put "
        "out by it",
        name, gate.record.share.ToString(), gate.record.open_until ? " by an operator's word" : "",
        whole.record.gate, whole.record.share.ToString()));
  }
  return absl::OkStatus();
}

void Move(Turn& turn, const AgentMoved& event) {
  auto& gates = turn.state().gates;
  std::optional<Traffic> traffic;
  if (const auto from = gates.find(event.from); from != gates.end()) {
    auto known = from->second.evidence.traffic.extract(event.agent.name);
    if (!known.empty()) traffic = std::move(known.mapped());
    LeaveFor(turn, from->second, event.agent.name);
  }
  const auto found = gates.find(event.to);
  if (found == gates.end()) return;
  Gate& to = found->second;
  to.evidence.agents[event.agent.name] = event.agent;
  // What it carries counts in the quorum from the first moment.
  if (traffic) to.evidence.traffic.insert_or_assign(event.agent.name, *std::move(traffic));
  // It may have been told what is newer, and has not said so yet: the same content under the newest
  // version. Its label is no reason to raise.
  const bool is_newest = to.record.version.revision + 1 == NextRevision(turn.state(), to);
  const bool rises = event.agent.enforced < to.record.share && !to.record.no_raise;
  if ((is_newest && !rises) || IsAdopted(to)) return;
  GateRecord next = to.record;
  next.no_raise = next.no_raise || next.share > Share::None();
  next.agents.insert(event.agent.name);
  next.removed.erase(event.agent.name);
  to.record.version = {};
  turn.Commit(to, std::move(next),
              Cause{.kind = Cause::Kind::kAgent,
                    .who = event.agent.name,
                    .what = "join",
                    .why = fmt::format("it obeyed {} before", event.from)});
}

}  // namespace headgate::engine
