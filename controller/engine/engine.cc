#include "controller/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/engine/explain.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

bool NeedsTime(const Gate& gate) {
  const GateRecord& record = gate.record;
  return IsRestoring(gate.record) || record.open_until || gate.record_again || gate.pending;
}

// To the share of before, if that is lower.
void GoBackFromOpen(GateRecord& record) {
  record.share = std::min(record.share, record.share_before_open);
  record.open_until.reset();
}

Cause RecoveryCause(std::string what, std::string why) {
  return Cause{.kind = Cause::Kind::kRecovery, .what = std::move(what), .why = std::move(why)};
}

// One event in one turn.
class Applier {
 public:
  explicit Applier(Turn& turn) : turn_(turn) {}

  void operator()(const Tick&) {
    turn_.RecordRemovalsAgain();
    for (auto& [name, gate] : turn_.state().gates) Look(gate);
  }

  void operator()(const Replayed& event) {
    if (event.record.is_removed) {
      turn_.state().gates.erase(event.record.gate);
      return;
    }
    Gate& gate = turn_.state().gates[event.record.gate];
    gate.record = event.record;
    gate.recovered = event.record.version;
    // Who expects the revision that was seen before a restart must not meet another by that number.
    gate.next_revision = event.record.version.revision + 1;
    gate.knows_agents = !event.record.agents.empty();
    gate.recovered_agents = event.record.agents;
  }

  void operator()(const ReignBegan& event) {
    turn_.state().epoch = event.epoch;
    turn_.state().leads = true;
    for (auto& [name, gate] : turn_.state().gates) Recover(gate, event.clock_is_behind);
  }

  void operator()(const ReignLost& event) {
    State& state = turn_.state();
    const bool never_led = state.epoch == 0;
    const bool is_news = state.leads || never_led;
    state.leads = false;
    if (never_led) state.epoch = event.epoch;
    state.journal_trouble = event.why;
    std::erase_if(state.gates, [](const auto& entry) { return !entry.second.exists; });
    state.removals.clear();
    for (auto& [name, gate] : state.gates) {
      gate.pending.reset();
      gate.record_again.reset();
      // The journal's last word may be a raise that was never in force.
      if (never_led) {
        gate.record.no_raise = true;
        gate.changed = turn_.now();
        gate.cause = RecoveryCause("restart", "lower only: " + event.why);
        if (event.clock_is_behind && gate.record.open_until) EndOpen(gate, "the clock went back");
      }
      // What fails is taken out also by a controller that cannot record.
      if (never_led && IsRestoring(gate.record)) {
        PrepareEvidence(gate.evidence, gate.record.restoration->plan.spec());
      }
      if (is_news) turn_.Tell(gate, "lower only from here on: " + event.why, true);
    }
  }

  // A decision of before is made again, as far as it lowers or stops.
  void operator()(const Inherited& event) {
    Gate* gate = Find(event.record.gate);
    if (gate == nullptr || !gate->exists) return;
    GateRecord next = gate->record;
    next.share = std::min(next.share, event.record.share);
    if (!event.record.open_until) next.open_until.reset();
    bool stops = false;
    if (IsRestoring(gate->record) && event.record.restoration &&
        event.record.restoration->id == next.restoration->id) {
      const Restoration& left = *event.record.restoration;
      const auto* holding = std::get_if<Holding>(&left.phase);
      stops = HasEnded(left) || (holding != nullptr && !EndsByItself(*holding));
      if (stops) {
        next.restoration->phase = left.phase;
        next.restoration->phase_since = turn_.now();
      }
      next.restoration->proven = std::min(next.restoration->proven, left.proven);
    }
    if (!stops && next.share == gate->record.share && next.open_until == gate->record.open_until) {
      return;
    }
    turn_.Commit(*gate, std::move(next), event.cause);
  }

  void operator()(const Recorded& event) {
    if (turn_.OnRemovalRecorded(event.gate, event.token)) return;
    Gate* gate = Find(event.gate);
    if (gate == nullptr) return;
    turn_.OnRecorded(*gate, event.token);
    // A part that the gate was changed before.
    if (!gate->exists && !gate->pending) {
      turn_.state().gates.erase(event.gate);
      return;
    }
    Look(*gate);
  }

  void operator()(const RecordFailed& event) {
    if (turn_.OnRemovalFailed(event.gate, event.token, event.why)) return;
    Gate* gate = Find(event.gate);
    if (gate == nullptr) return;
    turn_.OnRecordFailed(*gate, event.token, event.why);
    // A gate whose creation could not be recorded was never there.
    if (!gate->exists && !gate->pending) turn_.state().gates.erase(event.gate);
  }

  void operator()(const AgentReported& event) {
    Gate* gate = Find(event.gate);
    if (gate == nullptr) gate = Adopt(event);
    if (gate == nullptr) return;
    gate->evidence.agents[event.agent.name] = event.agent;
    if (!IsAdopted(*gate)) {
      LowerToUnrecorded(*gate, event.agent);
    } else if (IsReported(*gate) || gate->pending) {
      gate->record.share = std::max(gate->record.share, event.agent.enforced);
    } else {
      // What only its agents know of goes when they do.
      turn_.state().gates.erase(event.gate);
      return;
    }
    Look(*gate);
  }

  void operator()(const AgentMoved& event) {
    Move(turn_, event);
    for (const std::string& name : {event.from, event.to}) {
      if (Gate* gate = Find(name)) Look(*gate);
    }
  }

  void operator()(const CountsArrived& event) {
    Gate* gate = Find(event.gate);
    if (gate == nullptr) return;
    const PlanSpec* plan =
        IsRestoring(gate->record) ? &gate->record.restoration->plan.spec() : nullptr;
    AddCounts(gate->evidence, plan, event.agent, event.counts, turn_.now());
    const bool is_due =
        plan != nullptr && plan->adaptive && IsBatchDue(gate->evidence, turn_.now());
    if (is_due || turn_.now() - gate->looked >= kLookAgainAfter) Look(*gate);
  }

  void operator()(const ReadingArrived& event) {
    Gate* gate = Find(event.gate);
    if (gate == nullptr || !gate->record.restoration) return;
    Reading reading = event.reading;
    // A source whose clock is ahead must not look fresh for longer than the others.
    reading.observed_at = std::min(reading.observed_at, turn_.now());
    AddReading(gate->evidence, gate->record.restoration->plan.spec(), event.source, reading);
    Look(*gate);
  }

  void operator()(const Command& command) {
    Carry(turn_, command);
    if (Gate* gate = Find(command.gate)) Look(*gate);
  }

 private:
  // A gate that the journal does not have, because it cannot be used or was lost, is as its agents
  // report it, so that it can be lowered.
  Gate* Adopt(const AgentReported& event) {
    const State& state = turn_.state();
    const bool is_in_force = event.agent.stage != AgentView::Stage::kIdle;
    if (state.epoch == 0 || !is_in_force || state.gates.size() >= kGatesMax) return nullptr;
    Gate& gate = turn_.state().gates[event.gate];
    gate.record.gate = event.gate;
    gate.record.no_raise = true;
    // There is no record that an agent could be ahead of.
    gate.recovered = {state.epoch, 0};
    gate.changed = turn_.now();
    gate.cause = RecoveryCause("adopt", "known only from its agents");
    turn_.Tell(gate, "known only from its agents: the journal does not have it", true);
    return &gate;
  }

  static bool IsReported(const Gate& gate) {
    const auto& agents = gate.evidence.agents;
    return std::any_of(agents.begin(), agents.end(),
                       [](const auto& entry) { return entry.second.connected; });
  }

  Gate* Find(const std::string& name) {
    const auto found = turn_.state().gates.find(name);
    return found == turn_.state().gates.end() ? nullptr : &found->second;
  }

  void Look(Gate& gate) {
    if (!gate.exists) return;
    gate.looked = turn_.now();
    if (gate.record_again && turn_.now() >= *gate.record_again) turn_.RecordAgain(gate);
    ExpireOpen(gate);
    RecordNewAgents(turn_, gate);
    LiftWhereNobodyRises(gate);
    GoOnWithRotation(turn_, gate);
    Steer(turn_, gate);
  }

  // Without a restoration nothing else would end the no_raise of a restart, and agents that come
  // later, or come back, would never converge. It is lifted only while that raises nobody: where an
  // agent enforces less, only an operator's `open` may.
  void LiftWhereNobodyRises(Gate& gate) {
    if (!gate.record.no_raise || gate.pending || IsRestoring(gate.record) || IsAdopted(gate))
      return;
    const auto& agents = gate.evidence.agents;
    const bool nobody_rises = std::all_of(agents.begin(), agents.end(), [&](const auto& entry) {
      const AgentView& agent = entry.second;
      return agent.connected && agent.version == gate.record.version &&
             agent.enforced >= gate.record.share;
    });
    if (!nobody_rises || !Obstacles(turn_.state(), gate, turn_.now()).empty()) return;
    GateRecord next = gate.record;
    next.no_raise = false;
    turn_.Propose(gate, std::move(next),
                  Cause{.kind = Cause::Kind::kPlan,
                        .what = "settle",
                        .why = "every agent enforces what is recorded"},
                  true);
  }

  void ExpireOpen(Gate& gate) {
    if (!gate.record.open_until || turn_.now() < *gate.record.open_until) return;
    EndOpen(gate, "its time is over");
  }

  void EndOpen(Gate& gate, const char* why) {
    GateRecord next = gate.record;
    GoBackFromOpen(next);
    turn_.Commit(gate, std::move(next),
                 Cause{.kind = Cause::Kind::kPlan, .what = "end open", .why = why});
  }

  // A new reign: the recorded share under the new epoch, raising nothing and taking nobody out.
  void Recover(Gate& gate, bool clock_is_behind) {
    GateRecord next = gate.record;
    next.no_raise = true;
    const bool ends_open = clock_is_behind && next.open_until.has_value();
    if (ends_open) GoBackFromOpen(next);
    gate.changed = turn_.now();
    gate.share_changed = turn_.now();
    if (IsRestoring(gate.record)) {
      PrepareEvidence(gate.evidence, next.restoration->plan.spec());
      Restoration& restoration = *next.restoration;
      const bool has_lost_caller =
          std::holds_alternative<Preflight>(restoration.phase) && !restoration.when_ready;
      if (has_lost_caller) {
        restoration.phase = Failed{"the controller restarted during preflight: start again"};
        restoration.phase_since = turn_.now();
      } else if (!std::holds_alternative<Holding>(restoration.phase) &&
                 !std::holds_alternative<Preflight>(restoration.phase)) {
        restoration.phase =
            Holding{Holding::Why::kRestarted, "the controller restarted, waits for fresh evidence"};
        restoration.phase_since = turn_.now();
      }
    }
    // The same content under another epoch is another directive.
    gate.record.version = {};
    gate.record.no_raise = false;
    turn_.Commit(
        gate, std::move(next),
        RecoveryCause("restart",
                      fmt::format("a new reign, epoch {}{}", turn_.state().epoch,
                                  ends_open ? "; open ends, because the clock went back" : "")));
  }

  // An agent that holds a newer version than the journal's last heard a decision, a lowering or a
  // hold, that was never recorded.
  void LowerToUnrecorded(Gate& gate, const AgentView& agent) {
    const bool is_of_the_past = agent.version.epoch < turn_.state().epoch;
    if (!is_of_the_past || agent.version <= NewestRecovered(turn_.state(), gate, agent.name))
      return;
    if (agent.stage == AgentView::Stage::kIdle) return;
    // What it was told does not show under a word on its box; that it was told something does.
    const bool is_overridden = !agent.local_override.empty();
    const Share told = is_overridden ? gate.record.share : agent.enforced;
    const bool is_lower = told < gate.record.share;
    if (!is_lower && !GoesOnByItself(gate)) return;
    GateRecord next = gate.record;
    next.share = std::min(gate.record.share, told);
    if (IsRestoring(gate.record)) {
      // Perhaps a hand decided it, and saw what no check sees: only a hand lets them in again.
      Restoration& restoration = *next.restoration;
      restoration.phase = Holding{
          Holding::Why::kAgentDiffers,
          fmt::format(
              "{} was told {} and the journal does not say why; `headgate resume {}` goes on",
              agent.name, is_overridden ? "something" : told.ToString(), gate.record.gate)};
      restoration.phase_since = turn_.now();
      restoration.proven = std::min(restoration.proven, told);
    }
    turn_.Commit(gate, std::move(next),
                 Cause{.kind = Cause::Kind::kAgent,
                       .who = agent.name,
                       .what = is_lower ? "lower" : "hold",
                       .why = fmt::format("it holds version {}, which was never recorded",
                                          agent.version.ToString())});
  }

  static bool GoesOnByItself(const Gate& gate) {
    if (!IsRestoring(gate.record)) return false;
    const auto* holding = std::get_if<Holding>(&gate.record.restoration->phase);
    return holding == nullptr || EndsByItself(*holding);
  }

  Turn& turn_;
};

// A dry run answers and changes nothing.
Outcome Rehearse(State state, Command command, TimePoint now) {
  command.dry_run = true;
  State trial = state;
  Outcome outcome{.state = std::move(state), .actions = {}};
  std::vector<Action> actions;
  Turn turn(trial, now, actions);
  Carry(turn, command);
  for (Action& action : actions) {
    if (auto* reply = std::get_if<Replied>(&action)) {
      // Nothing comes of it that one could wait for.
      reply->token = 0;
      reply->version = {};
      if (reply->status.ok()) reply->summary = "dry run, nothing changed: " + reply->summary;
      outcome.actions.emplace_back(std::move(*reply));
    }
  }
  return outcome;
}

}  // namespace

Outcome Apply(State state, const Event& event, TimePoint now) {
  state.last_turn = now;
  if (const auto* command = std::get_if<Command>(&event); command != nullptr && command->dry_run) {
    return Rehearse(std::move(state), *command, now);
  }
  Outcome outcome{.state = std::move(state), .actions = {}};
  Turn turn(outcome.state, now, outcome.actions);
  std::visit(Applier(turn), event);
  return outcome;
}

std::optional<TimePoint> WakeAt(const State& state) {
  const bool has_removals =
      std::any_of(state.removals.begin(), state.removals.end(),
                  [](const auto& entry) { return entry.second.record_again.has_value(); });
  const bool needs_time =
      has_removals || std::any_of(state.gates.begin(), state.gates.end(),
                                  [](const auto& entry) { return NeedsTime(entry.second); });
  if (!needs_time) return std::nullopt;
  return state.last_turn + kTick;
}

}  // namespace headgate::engine
