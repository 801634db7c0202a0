// What operators ask for. An order that lowers, holds or ends needs nothing; the others are refused
// with what stands in their way.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/carrier.h"
#include "controller/engine/engine.h"
#include "controller/engine/explain.h"
#include "controller/engine/order_rules.h"
#include "controller/engine/repeats.h"
#include "controller/engine/situation.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

absl::Status Refuse(const std::string& why) { return absl::FailedPreconditionError(why); }

}  // namespace

Cause Carrier::CauseOf(std::string what) const {
  // What was measured for a restoration that has ended is no evidence for what follows it.
  std::vector<std::string> evidence;
  if (HasRunning()) evidence = EvidenceLines(gate_, turn_.now());
  return Cause{.kind = Cause::Kind::kOperator,
               .who = command_.actor,
               .what = std::move(what),
               .why = command_.reason,
               .request_id = command_.request_id,
               .evidence = std::move(evidence)};
}

GateRecord Carrier::Marked(GateRecord next) const {
  if (command_.request_id.empty()) return next;
  next.request_ids.push_back(RequestMark(command_));
  if (next.request_ids.size() > kRequestIdsMax) next.request_ids.erase(next.request_ids.begin());
  return next;
}

void Carrier::Commit(GateRecord next, std::string what) {
  turn_.Commit(gate_, Marked(std::move(next)), CauseOf(std::move(what)));
}

void Carrier::Propose(GateRecord next, std::string what, bool needs_evidence) {
  turn_.Propose(gate_, Marked(std::move(next)), CauseOf(std::move(what)), needs_evidence);
}

// Lowering needs no restoration. What is low enough already stays, but for a raise under way.
absl::Status Carrier::LowerTo(Share most, const char* verb) {
  GateRecord next = gate_.record;
  const bool lowers = most < next.share;
  if (lowers) next.open_until.reset();
  next.share = std::min(most, next.share);
  const std::string to = next.share.ToString();
  Commit(std::move(next), verb);
  summary_ =
      lowers ? fmt::format("{} is lowered to {}; no restoration runs", command_.gate, to)
             : fmt::format("{} stays at {}{}; no restoration runs", command_.gate, to, Below(most));
  return absl::OkStatus();
}

std::string Carrier::Below(Share most) const {
  const Share share = gate_.record.share;
  return most > share ? fmt::format(", below {} already", most.ToString()) : "";
}

void Carrier::EndRestoration(GateRecord& next, const std::string& detail) const {
  next.open_until.reset();
  if (!HasRunning()) return;
  next.restoration->phase = Aborted{detail};
  next.restoration->phase_since = turn_.now();
}

absl::Status Carrier::operator()(const StartRestoration& order) {
  if (HasRunning()) {
    return Refuse(fmt::format("restoration {} of gate {} is running: `headgate abort {}` ends it",
                              gate_.record.restoration->id, command_.gate, command_.gate));
  }
  if (gate_.record.open_until) {
    return Refuse(fmt::format("gate {} is open by an operator's word: `headgate close {}` first",
                              command_.gate, command_.gate));
  }
  if (gate_.record.share == Share::All()) {
    return Refuse(fmt::format("gate {} is at 100 %: `headgate close {}` first, then start",
                              command_.gate, command_.gate));
  }
  std::uint64_t number = 0;
  if (gate_.record.restoration) {
    const std::string& id = gate_.record.restoration->id;
    std::from_chars(id.data() + id.rfind('-') + 1, id.data() + id.size(), number);
  }
  GateRecord next = gate_.record;
  next.restoration = Restoration{.id = fmt::format("{}-{}", command_.gate, number + 1),
                                 .plan = order.plan,
                                 .started = turn_.now(),
                                 .started_by = command_.actor,
                                 .when_ready = order.when_ready,
                                 .phase = Preflight{},
                                 .phase_since = turn_.now(),
                                 .proven = gate_.record.share};
  PrepareEvidence(gate_.evidence, order.plan.spec());
  // Who was removed in another incident is asked for again.
  next.removed.clear();
  if (command_.dry_run) summary_ = Foresee(gate_, next, turn_.now());
  Commit(std::move(next), "start");
  is_deferred_ = !order.when_ready && !command_.dry_run;
  if (is_deferred_) gate_.waiting_call = command_.call;
  if (!command_.dry_run) {
    summary_ = fmt::format("restoration {} is in preflight", gate_.record.restoration->id);
  }
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const Hold&) {
  if (!HasRunning()) return NoRestoration(gate_, "hold");
  const std::string detail =
      command_.actor + (command_.reason.empty() ? " asked for it" : ": " + command_.reason);
  Commit(turn_.WithPhase(gate_, Holding{Holding::Why::kOperatorAsked, detail}), "hold");
  summary_ = fmt::format("{} holds at {}", command_.gate, gate_.record.share.ToString());
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const Resume&) {
  if (!HasRunning()) return NoRestoration(gate_, "resume");
  const auto* holding = std::get_if<Holding>(&gate_.record.restoration->phase);
  if (holding == nullptr) {
    return Refuse(fmt::format("gate {} is {}, not HOLDING: there is nothing to resume",
                              command_.gate, NameOf(gate_.record.restoration->phase)));
  }
  GateRecord next = gate_.record;
  Restoration& restoration = *next.restoration;
  // Who resumes after the last retry has mended something: what failed may not fail again, and
  // what was counted before is not counted against it.
  if (HasNoRetryLeft(restoration)) ForgetFailures(restoration);
  if (holding->why == Holding::Why::kCheckFailed) ForgetCounts(gate_.evidence, turn_.now(), true);
  restoration.retreats_in_a_row = 0;
  // Under no_raise the hold of a restart goes on until the evidence is fresh.
  restoration.phase = PhaseAfterHold(next, turn_.now());
  if (next.no_raise)
    restoration.phase = Holding{Holding::Why::kRestarted, "waits for fresh evidence"};
  restoration.phase_since = turn_.now();
  Commit(std::move(next), "resume");
  summary_ = fmt::format("{} goes on at {}", command_.gate, gate_.record.share.ToString());
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const Advance&) {
  if (!HasRunning()) return NoRestoration(gate_, "advance");
  const Phase& phase = gate_.record.restoration->phase;
  const bool may = std::holds_alternative<Admitting>(phase) ||
                   std::holds_alternative<Curing>(phase) ||
                   std::holds_alternative<Preflight>(phase);
  if (!may) {
    return Refuse(fmt::format("gate {} is {}: `advance` only shortens the wait of a running step",
                              command_.gate, NameOf(phase)));
  }
  if (gate_.pending) return Refuse("the next share is being recorded already");
  const std::vector<std::string> obstacles = Obstacles(turn_.state(), gate_, turn_.now());
  if (!obstacles.empty()) return Refuse(AsList("not every check allows it:", obstacles));
  if (gate_.record.share == Share::All()) return Refuse("the share is 100 % already");
  const Course course = CourseOf(gate_, turn_.now(), true);
  const Share next_share = course.to;
  const Share share = gate_.record.share;
  if (next_share == share) return Refuse("there is no larger share now: " + course.why);
  if (const auto needed = ApprovalBefore(*gate_.record.restoration, share, next_share)) {
    return Refuse(
        fmt::format("{} needs approval: `headgate approve {}`", needed->ToString(), command_.gate));
  }
  GateRecord next = turn_.WithPhase(gate_, Admitting{next_share});
  // Nothing stands against the present share, or it would have been refused.
  if (share > Share::None() && IsAdaptive(*next.restoration)) {
    *next.restoration = AfterProof(*std::move(next.restoration), share);
  }
  next.restoration->passed_preflight = true;
  next.share = next_share;
  next.no_raise = false;
  Propose(std::move(next), "advance", true);
  summary_ = fmt::format("{} advances to {}", command_.gate, next_share.ToString());
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const Retreat& order) {
  if (!HasRunning())
    return order.to ? LowerTo(*order.to, "retreat") : NoRestoration(gate_, "retreat");
  const Share share = gate_.record.share;
  const Share asked = order.to.value_or(RetreatTarget(*gate_.record.restoration, share));
  // Who wants at most 20 % and has 10 % wants no more of them: it holds as any retreat does.
  const Share to = std::min(asked, share);
  // Who takes users out by hand saw what no check sees: only a hand lets them in again.
  const std::string detail =
      fmt::format("retreated by {}; `headgate resume {}` goes on", command_.actor, command_.gate);
  GateRecord next = turn_.WithPhase(gate_, Holding{Holding::Why::kOperatorAsked, detail});
  next.share = to;
  if (to < share) next.restoration->retreats += 1;
  next.restoration->proven = std::min(next.restoration->proven, to);
  Commit(std::move(next), "retreat");
  summary_ =
      asked > share
          ? fmt::format("{0} is below {1} already: held at {0}", to.ToString(), asked.ToString())
          : fmt::format("{} retreats to {} and holds there", command_.gate, to.ToString());
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const Abort& order) {
  if (!HasRunning()) return order.to ? LowerTo(*order.to, "abort") : NoRestoration(gate_, "abort");
  const Share most = order.to.value_or(gate_.record.share);
  GateRecord next = gate_.record;
  EndRestoration(next, "aborted by " + command_.actor);
  next.share = std::min(most, next.share);
  Commit(std::move(next), "abort");
  summary_ = fmt::format("restoration {} is aborted at {}{}", gate_.record.restoration->id,
                         gate_.record.share.ToString(), Below(most));
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const Approve&) {
  if (!HasRunning()) return NoRestoration(gate_, "approve");
  const auto* waiting = std::get_if<WaitingForApproval>(&gate_.record.restoration->phase);
  if (waiting == nullptr) {
    return Refuse(fmt::format("gate {} is {}: it does not wait for approval", command_.gate,
                              NameOf(gate_.record.restoration->phase)));
  }
  const Share step = waiting->step;
  GateRecord next = gate_.record;
  next.restoration->approved = std::max(next.restoration->approved, step);
  Commit(std::move(next), "approve");
  summary_ =
      fmt::format("{} of {} is approved by {}", step.ToString(), command_.gate, command_.actor);
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const RemoveAgent& order) {
  summary_ = fmt::format(
      "agent {} no longer counts in the quorum of {}: where its load balancer still "
      "serves users, no order reaches it",
      order.agent, command_.gate);
  return Remove(turn_, gate_, order.agent, CauseOf("remove agent"));
}

void Carry(Turn& turn, const Command& given) {
  const Command command = WithTextsThatFit(given);
  State& state = turn.state();
  Replied reply{.call = command.call};
  reply.status = CheckAdmissible(state, command);
  if (!reply.status.ok()) {
    turn.Reply(std::move(reply));
    return;
  }
  Gate& gate = state.gates[command.gate];
  if (gate.record.gate.empty()) {
    gate.record.gate = command.gate;
    gate.exists = false;
  }
  if (WasCarriedOut(state, gate, command)) {
    AnswerRepeat(turn, gate, command);
    return;
  }
  reply.status = CheckBefore(state, gate, command);
  const std::uint64_t token_before = gate.newest_token;
  Carrier carrier(turn, command, gate);
  if (reply.status.ok()) reply.status = std::visit(carrier, command.order);
  if (reply.status.ok()) {
    reply.summary = carrier.summary();
    const bool moves_it_alone = std::holds_alternative<Retreat>(command.order) ||
                                std::holds_alternative<Abort>(command.order) ||
                                std::holds_alternative<OpenGate>(command.order);
    const std::string parts = moves_it_alone ? PartNames(state, gate) : "";
    if (!parts.empty()) reply.summary += fmt::format("; not part of that: {}", parts);
    reply.parts = carrier.parts();
    if (gate.newest_token != token_before) reply.token = gate.newest_token;
    reply.version = gate.pending ? gate.pending->next.version : gate.record.version;
  }
  // Of a gate that is no more nobody has a version to confirm.
  if (carrier.is_removal()) reply.version = {};
  if (carrier.is_removal() || (!gate.exists && !gate.pending)) state.gates.erase(command.gate);
  if (!carrier.is_deferred()) turn.Reply(std::move(reply));
}

}  // namespace headgate::engine
