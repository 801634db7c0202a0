// The course of a restoration: when to admit more, hold, take users out, try again, and end.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/duration.h"
#include "controller/engine/attention.h"
#include "controller/engine/engine.h"
#include "controller/engine/explain.h"
#include "controller/engine/obstacles.h"
#include "controller/engine/situation.h"
#include "controller/engine/turn.h"

namespace headgate::engine {
namespace {

bool HasBeenClearFor(const Gate& gate, Duration needed, TimePoint now) {
  return gate.clear_since && now - *gate.clear_since >= needed;
}

// Marks the present share as proven: it was clear for the whole bake time.
void Prove(Restoration& restoration, Share share) {
  restoration.proven = std::max(restoration.proven, share);
  if (share >= restoration.failed && restoration.failed > Share::None()) {
    restoration.failed = Share::None();
    restoration.retreats_in_a_row = 0;
  }
}

void TakeOut(Turn& turn, Gate& gate, const Situation& situation) {
  const Restoration& restoration = *gate.record.restoration;
  const auto* held = std::get_if<Holding>(&restoration.phase);
  const std::string text = CheckText(gate, *situation.failed, turn.now());
  if (situation.reaction == OnFailure::kHold) {
    // A hold that would end by itself becomes one that only a person ends.
    if (held == nullptr || EndsByItself(*held)) {
      HoldFor(turn, gate, Holding::Why::kCheckFailed, *situation.failed, text);
    }
    return;
  }
  const bool drains = situation.reaction == OnFailure::kDrain;
  Cause cause = CheckCause(gate, turn.now(), drains ? "drain" : "retreat", *situation.failed, text);
  if (IsAdaptive(restoration)) {
    TakeOutAdaptive(turn, gate, *situation.failed, drains, std::move(cause));
    return;
  }
  const Share to = drains ? Share::None() : RetreatTarget(restoration, gate.record.share);
  RetreatTo(turn, gate, to, std::move(cause));
}

// Past its patience a silent source holds, or retreats where the plan says so.
void EndPatience(Turn& turn, Gate& gate, const Situation& situation) {
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  const std::string why =
      fmt::format("{}, for longer than {}", CheckText(gate, *situation.silent, turn.now()),
                  FormatDuration(plan.patience));
  if (plan.on_unknown == OnUnknown::kRetreat && gate.record.share > Share::None()) {
    // What is silent while users are being taken out is the same silence, answered already.
    if (IsAdaptive(*gate.record.restoration) && IsBeingCured(*gate.record.restoration)) return;
    Cause cause = CheckCause(gate, turn.now(), "retreat", *situation.silent, why);
    if (IsAdaptive(*gate.record.restoration)) {
      TakeOutAdaptive(turn, gate, "", false, std::move(cause));
      return;
    }
    RetreatTo(turn, gate, RetreatTarget(*gate.record.restoration, gate.record.share),
              std::move(cause));
    return;
  }
  HoldFor(turn, gate, Holding::Why::kNoData, *situation.silent, why);
}

// Somebody is in whose share no count has proven: that comes first, and raises nobody.
void ProveFirst(Turn& turn, Gate& gate, const std::string& why) {
  GateRecord next = turn.WithPhase(gate, Admitting{gate.record.share});
  next.restoration->passed_preflight = true;
  turn.Commit(gate, std::move(next),
              PlanCause(gate, turn.now(), "go on",
                        fmt::format("{}; {} is proven first", why, gate.record.share.ToString())));
}

void SteerPreflight(Turn& turn, Gate& gate, const Situation& situation) {
  const Restoration& restoration = *gate.record.restoration;
  const PlanSpec& plan = restoration.plan.spec();
  if (HasBeenClearFor(gate, plan.ready_for, turn.now())) {
    if (!situation.is_clear) {
      ProveFirst(turn, gate,
                 fmt::format("preflight passed for {}", FormatDuration(plan.ready_for)));
      return;
    }
    const Course course = CourseOf(gate, turn.now());
    AdmitNext(turn, gate, course.to,
              fmt::format("preflight passed for {}{}{}", FormatDuration(plan.ready_for),
                          course.why.empty() ? "" : "; ", course.why));
    return;
  }
  if (restoration.when_ready) return;
  // What is proven bad is refused as soon as every source has spoken, so that one refusal names
  // all that is wrong; what is missing may still come.
  const Duration waited = turn.now() - restoration.phase_since;
  const bool is_refused = situation.failed ? !situation.silent || waited > kPreflightPatience
                                           : waited > plan.ready_for + kPreflightPatience &&
                                                 !situation.is_ready && !situation.is_pending;
  if (!is_refused) return;
  const std::string why =
      AsList("preflight refuses:", Obstacles(turn.state(), gate, turn.now(), true));
  if (gate.waiting_call != 0) {
    turn.Reply({.call = gate.waiting_call, .status = absl::FailedPreconditionError(why)});
    gate.waiting_call = 0;
  }
  turn.Commit(gate, turn.WithPhase(gate, Failed{why}), PlanCause(gate, turn.now(), "refuse", why));
}

void SteerAdmitting(Turn& turn, Gate& gate) {
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  if (!HasBeenClearFor(gate, plan.bake_min, turn.now())) return;
  const std::string why = fmt::format("{} was clear for {}", gate.record.share.ToString(),
                                      FormatDuration(plan.bake_min));
  Prove(*gate.record.restoration, gate.record.share);
  if (gate.record.share < Share::All()) {
    AdmitNext(turn, gate, CourseOf(gate, turn.now()).to, why);
    return;
  }
  turn.Commit(gate, turn.WithPhase(gate, Watching{}), PlanCause(gate, turn.now(), "watch", why));
}

void SteerApproval(Turn& turn, Gate& gate, const WaitingForApproval& phase) {
  if (gate.record.restoration->approved < phase.step) return;
  if (!gate.clear_since) return;
  const Course course = CourseOf(gate, turn.now());
  const Share to = std::min(course.to, phase.step);
  const std::string why = phase.step.ToString() + " was approved";
  if (to > gate.record.share) {
    AdmitNext(turn, gate, to, why);
    return;
  }
  // Not now: the step's own rules say when.
  turn.Commit(gate, turn.WithPhase(gate, Admitting{gate.record.share}),
              PlanCause(gate, turn.now(), "go on", why + "; it stays: " + course.why));
}

bool AnyIsBelow(const Gate& gate) {
  const auto& agents = gate.evidence.agents;
  return std::any_of(agents.begin(), agents.end(),
                     [&](const auto& entry) { return entry.second.enforced < gate.record.share; });
}

// A hold that nobody asked for ends by itself when its reason has gone.
void SteerHolding(Turn& turn, Gate& gate, const Holding& phase, const Situation& situation) {
  if (!EndsByItself(phase) || situation.silent || situation.failed) return;
  if (!gate.record.no_raise) {
    turn.Commit(gate, turn.WithPhase(gate, PhaseAfterHold(gate.record, turn.now())),
                PlanCause(gate, turn.now(), "go on", "every check has data again"));
    return;
  }
  // Where agents are below the share, going on raises them, and that takes a step's evidence.
  const Duration needed =
      AnyIsBelow(gate) ? gate.record.restoration->plan.spec().bake_min : Duration(0);
  if (!HasBeenClearFor(gate, needed, turn.now())) return;
  GateRecord next = turn.WithPhase(gate, PhaseAfterHold(gate.record, turn.now()));
  next.no_raise = false;
  Cause cause = PlanCause(gate, turn.now(), "go on", "evidence is fresh after the restart");
  turn.Propose(gate, std::move(next), std::move(cause), true);
}

void SteerRetreating(Turn& turn, Gate& gate) {
  const Restoration& restoration = *gate.record.restoration;
  if (gate.settling_since) return;
  const PlanSpec& plan = restoration.plan.spec();
  if (HoldIfNoRetryLeft(turn, gate)) return;
  const std::uint32_t doublings = std::max(restoration.retreats_in_a_row, 1U) - 1;
  const TimePoint not_before = turn.now() + plan.backoff * (1U << std::min(doublings, 10U));
  turn.Commit(
      gate, turn.WithPhase(gate, Curing{restoration.failed, not_before}),
      PlanCause(gate, turn.now(), "cure",
                fmt::format("the retreat to {} is in force", gate.record.share.ToString())));
}

void SteerCuring(Turn& turn, Gate& gate, const Curing& phase) {
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  if (turn.now() < phase.not_before || !HasBeenClearFor(gate, plan.bake_min, turn.now())) return;
  const std::uint32_t retry = gate.record.restoration->retreats_in_a_row;
  const std::string why =
      fmt::format("{}: {} was clear for {}",
                  retry == 0 ? "resumed" : fmt::format("retry {} of {}", retry, plan.retries),
                  gate.record.share.ToString(), FormatDuration(plan.bake_min));
  Prove(*gate.record.restoration, gate.record.share);
  AdmitNext(turn, gate, CourseOf(gate, turn.now()).to, why);
}

void SteerWatching(Turn& turn, Gate& gate, const Situation& situation) {
  const Restoration& restoration = *gate.record.restoration;
  const PlanSpec& plan = restoration.plan.spec();
  if (turn.now() - restoration.phase_since < plan.watch || !situation.is_clear) return;
  const std::string why = fmt::format("100 % for {}", FormatDuration(plan.watch));
  turn.Commit(gate, turn.WithPhase(gate, Completed{why}),
              PlanCause(gate, turn.now(), "complete", why));
}

void SteerByPhase(Turn& turn, Gate& gate, const Situation& situation) {
  // A copy: a transition replaces the phase that is looked at.
  const Phase phase = gate.record.restoration->phase;
  const bool is_adaptive = IsAdaptive(*gate.record.restoration);
  if (std::holds_alternative<Preflight>(phase)) {
    SteerPreflight(turn, gate, situation);
  } else if (const auto* approval = std::get_if<WaitingForApproval>(&phase)) {
    SteerApproval(turn, gate, *approval);
  } else if (std::holds_alternative<Admitting>(phase)) {
    is_adaptive ? SteerAdmittingAdaptive(turn, gate, situation) : SteerAdmitting(turn, gate);
  } else if (const auto* holding = std::get_if<Holding>(&phase)) {
    SteerHolding(turn, gate, *holding, situation);
  } else if (std::holds_alternative<Retreating>(phase)) {
    is_adaptive ? SteerRetreatingAdaptive(turn, gate) : SteerRetreating(turn, gate);
  } else if (const auto* curing = std::get_if<Curing>(&phase)) {
    is_adaptive ? SteerCuringAdaptive(turn, gate, *curing, situation)
                : SteerCuring(turn, gate, *curing);
  } else if (std::holds_alternative<Watching>(phase)) {
    SteerWatching(turn, gate, situation);
  }
}

void TrackTimes(Gate& gate, const Situation& situation, TimePoint now) {
  if (!situation.is_ready) {
    gate.clear_since.reset();
  } else if (!gate.clear_since) {
    gate.clear_since = now;
  }
  if (!situation.silent) {
    gate.silent_since.reset();
  } else if (!gate.silent_since) {
    gate.silent_since = now;
  }
}

// Users who are taken out leave answers behind that are still on their way, bad ones: until the
// retreat is observed and those have passed, ratios say nothing of the lower share.
void Settle(Gate& gate, TimePoint now) {
  if (!gate.settling_since) return;
  const Duration elapsed = now - *gate.settling_since;
  if (elapsed < kSettleMin || (elapsed < kSettleMax && !IsObserved(gate))) return;
  gate.settling_since.reset();
  gate.settled = now;
  ForgetCounts(gate.evidence, now, true);
}

// The time that was weighed.
Duration Weigh(Gate& gate, TimePoint now) {
  if (!IsAdaptive(*gate.record.restoration) || !IsBatchDue(gate.evidence, now)) return Duration(0);
  return WeighCounts(gate.evidence, gate.record.share, IsObserved(gate), now);
}

}  // namespace

bool HasNoRetryLeft(const Restoration& restoration) {
  return restoration.retreats_in_a_row > restoration.plan.spec().retries;
}

Holding OutOfRetries(const Restoration& restoration) {
  const Share failed = IsAdaptive(restoration) ? restoration.search.from : restoration.failed;
  return {Holding::Why::kRetriesExhausted,
          fmt::format("{} failed {} times in a row: a person must look, then `resume` or `abort`",
                      failed.ToString(), restoration.retreats_in_a_row)};
}

bool EndsByItself(const Holding& phase) {
  return phase.why == Holding::Why::kNoData || phase.why == Holding::Why::kRestarted;
}

Share RetreatTarget(const Restoration& restoration, Share share) {
  if (IsAdaptive(restoration)) return TrustedBelow(restoration, share);
  if (restoration.proven < share) return restoration.proven;
  // The proven share itself fails: the largest step up to half of it.
  Share target;
  for (const Share step : restoration.plan.spec().steps) {
    if (step.ppm() <= share.ppm() / 2) target = step;
  }
  return target;
}

bool HoldIfNoRetryLeft(Turn& turn, Gate& gate) {
  if (!HasNoRetryLeft(*gate.record.restoration)) return false;
  const Holding held = OutOfRetries(*gate.record.restoration);
  HoldFor(turn, gate, held.why, "", held.detail);
  return true;
}

void RetreatTo(Turn& turn, Gate& gate, Share to, Cause cause) {
  const Restoration& before = *gate.record.restoration;
  const bool was_curing = std::holds_alternative<Curing>(before.phase) ||
                          std::holds_alternative<Retreating>(before.phase);
  const Share from = gate.record.share;
  // Who holds goes on holding, at the lower share; who has not passed preflight still must.
  const bool keeps_phase = std::holds_alternative<Holding>(before.phase) ||
                           std::holds_alternative<Preflight>(before.phase);
  GateRecord next = keeps_phase ? gate.record : turn.WithPhase(gate, Retreating{from, to});
  next.share = to;
  if (next.open_until) next.open_until.reset();
  Restoration& restoration = *next.restoration;
  restoration.retreats += 1;
  // A retreat that did not cure is part of the same episode.
  if (!was_curing) restoration.retreats_in_a_row += 1;
  restoration.failed = std::max(restoration.failed, from);
  restoration.proven = std::min(restoration.proven, to);
  turn.Commit(gate, std::move(next), std::move(cause));
}

Phase PhaseAfterHold(const GateRecord& record, TimePoint now) {
  const Restoration& restoration = *record.restoration;
  // Neither a restart nor a silence is somebody who has looked.
  if (HasNoRetryLeft(restoration)) return OutOfRetries(restoration);
  if (IsAdaptive(restoration)) return PhaseAfterHoldAdaptive(record, now);
  if (!restoration.passed_preflight) return Preflight{};
  if (restoration.failed > Share::None() && record.share < restoration.failed) {
    return Curing{restoration.failed, now + restoration.plan.spec().backoff};
  }
  if (record.share == Share::None()) return Preflight{};
  if (record.share == Share::All() && restoration.proven == Share::All()) return Watching{};
  return Admitting{record.share};
}

void Steer(Turn& turn, Gate& gate) {
  if (!IsRestoring(gate.record)) return;
  const Duration weighed = Weigh(gate, turn.now());
  Settle(gate, turn.now());
  const Situation situation = Assess(turn.state(), gate, turn.now());
  CountFailing(gate, situation, weighed);
  TrackTimes(gate, situation, turn.now());
  const Phase& phase = gate.record.restoration->phase;
  const bool has_users = gate.record.share > Share::None();
  const bool drains = situation.failed && situation.reaction == OnFailure::kDrain;
  // In preflight nothing of the plan is in force yet: only proven damage takes users out.
  const bool may_go = !gate.settling_since && !std::holds_alternative<Preflight>(phase);
  if (situation.failed && has_users && (drains || may_go)) {
    if (!IsLeftToTheCure(gate, situation)) {
      TakeOut(turn, gate, situation);
      return;
    }
    if (CureGoesLower(turn, gate, situation)) return;
  }
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  const bool is_patient = !gate.silent_since || turn.now() - *gate.silent_since < plan.patience;
  const auto* held = std::get_if<Holding>(&phase);
  const bool may_wait = (held != nullptr && held->why != Holding::Why::kRestarted) ||
                        std::holds_alternative<Preflight>(phase);
  if (!is_patient && has_users && !may_wait) {
    EndPatience(turn, gate, situation);
    return;
  }
  if (gate.pending) return;
  SteerByPhase(turn, gate, situation);
  TellIfOverdue(turn, gate);
}

}  // namespace headgate::engine
