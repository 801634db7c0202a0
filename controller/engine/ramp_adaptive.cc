// The course of a restoration with adaptive steps: how the rules of adaptive.h become phases.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/duration.h"
#include "controller/engine/engine.h"
#include "controller/engine/situation.h"

namespace headgate::engine {
namespace {

constexpr std::uint32_t kBackPercent = 90;
// After a lowering answers are judged from here on.
constexpr Duration kBadInCureAfter{4'000};

// Who asks while nobody is in tells the demand; where nobody does it is not waited for.
constexpr Duration kDemandWait{30'000};

// Puts in force what was learned with users taken out.
void Carry(Turn& turn, Gate& gate, Withdrawal withdrawal, Cause cause) {
  const Phase& before = gate.record.restoration->phase;
  // Who holds goes on holding, at the lower share; who has not passed preflight still must.
  const bool keeps_phase =
      std::holds_alternative<Holding>(before) || std::holds_alternative<Preflight>(before);
  GateRecord next = keeps_phase
                        ? gate.record
                        : turn.WithPhase(gate, Retreating{gate.record.share, withdrawal.to});
  const Phase phase = next.restoration->phase;
  const TimePoint phase_since = next.restoration->phase_since;
  next.restoration = std::move(withdrawal.restoration);
  next.restoration->phase = phase;
  next.restoration->phase_since = phase_since;
  next.share = withdrawal.to;
  next.open_until.reset();
  cause.why += "; " + withdrawal.why;
  turn.Commit(gate, std::move(next), std::move(cause));
}

// Whether proving the share would teach anything that is not known yet.
bool Teaches(const Restoration& restoration, Share share) {
  const Search& search = restoration.search;
  const auto ends = [&](Share remembered) {
    return remembered > Share::None() && share >= remembered;
  };
  return share > restoration.proven || search.on_probation || ends(search.failed_by_load) ||
         ends(restoration.failed) || ends(search.regain);
}

void Prove(Gate& gate) {
  Restoration& restoration = *gate.record.restoration;
  if (!Teaches(restoration, gate.record.share)) return;
  restoration = AfterProof(std::move(restoration), gate.record.share);
}

// What goes on failing at the share in force; empty if nothing does.
std::string FailingCheck(const Gate& gate, const Situation& situation) {
  if (situation.failed && situation.reaction == OnFailure::kRetreat) return *situation.failed;
  return StillFailing(gate.evidence, AgainstBar(*gate.record.restoration));
}

}  // namespace

void CountFailing(Gate& gate, const Situation& situation, Duration weighed) {
  if (weighed == Duration(0)) return;
  Progress& progress = gate.evidence.progress;
  if (progress.since_judged < kBadInCureAfter || gate.settling_since) return;
  // A second now and then does not add up to a failure that lasts.
  progress.bad_in_cure = FailingCheck(gate, situation).empty()
                             ? std::max(progress.bad_in_cure - weighed, Duration(0))
                             : progress.bad_in_cure + weighed;
}

bool CureGoesLower(Turn& turn, Gate& gate, const Situation& situation) {
  const Restoration& restoration = *gate.record.restoration;
  const Share share = gate.record.share;
  const std::string check = FailingCheck(gate, situation);
  if (check.empty()) return false;
  if (std::holds_alternative<Curing>(restoration.phase) &&
      IsTheTime(restoration, gate.evidence, share)) {
    const std::string why = fmt::format("not the share: at {} ({} was carried) it still fails",
                                        share.ToString(), restoration.search.trusted.ToString());
    GateRecord next = gate.record;
    next.restoration = BlameTime(restoration);
    const Search& search = next.restoration->search;
    next.restoration->phase = Curing{search.from, search.at + search.cure};
    turn.Commit(gate, std::move(next), PlanCause(gate, turn.now(), "blame time", why));
    return true;
  }
  Withdrawal lower = LowerInCure(restoration, gate.evidence, share, turn.now());
  if (lower.to >= share) return false;
  Carry(turn, gate, std::move(lower),
        CheckCause(gate, turn.now(), "retreat", check, CheckText(gate, check, turn.now())));
  return true;
}

void SteerAdmittingAdaptive(Turn& turn, Gate& gate, const Situation& situation) {
  Restoration& restoration = *gate.record.restoration;
  const Share share = gate.record.share;
  if (!situation.is_clear || !HasStood(restoration, gate.evidence)) return;
  const bool teaches = Teaches(restoration, share);
  Prove(gate);
  const std::string proven = share.ToString() + " is proven";
  if (share == Share::All()) {
    turn.Commit(gate, turn.WithPhase(gate, Watching{}),
                PlanCause(gate, turn.now(), "watch", proven));
    return;
  }
  const Course course = NextShare(restoration, gate.evidence, share, turn.now());
  if (course.to > share) {
    AdmitNext(turn, gate, course.to, proven + "; " + course.why);
  } else if (teaches) {
    turn.Commit(gate, gate.record,
                PlanCause(gate, turn.now(), "prove", proven + "; it stays: " + course.why));
  }
}

void SteerRetreatingAdaptive(Turn& turn, Gate& gate) {
  const Restoration& restoration = *gate.record.restoration;
  if (gate.settling_since) return;
  const Search& search = restoration.search;
  if (HoldIfNoRetryLeft(turn, gate)) return;
  turn.Commit(
      gate, turn.WithPhase(gate, Curing{search.from, search.at + search.cure}),
      PlanCause(gate, turn.now(), "cure",
                fmt::format("the retreat to {} is in force", gate.record.share.ToString())));
}

void SteerCuringAdaptive(Turn& turn, Gate& gate, const Curing& phase, const Situation& situation) {
  const Share share = gate.record.share;
  const bool has_users = share > Share::None();
  // What has FAILED was answered before the phases were looked at.
  if (has_users && !situation.failed && CureGoesLower(turn, gate, situation)) return;
  const bool has_stood = !has_users || HasStood(*gate.record.restoration, gate.evidence);
  if (turn.now() < phase.not_before || !situation.is_clear || !has_stood) return;
  if (!has_users) {
    // How many ask is known soon after a restart, and tells how large the first share must be.
    const TimePoint since = std::max(phase.not_before, gate.record.restoration->phase_since);
    if (DemandOf(gate.evidence) <= 0 && turn.now() - since < kDemandWait) return;
    const Course course = CourseOf(gate, turn.now());
    AdmitNext(turn, gate, course.to, "the wait is over; " + course.why);
    return;
  }
  Prove(gate);
  const Share trusted = gate.record.restoration->search.trusted;
  const Share back = Readable(AtMostAll(std::uint64_t{trusted.ppm()} * kBackPercent / 100));
  const std::string why = fmt::format("{} has cured", share.ToString());
  if (back > share) {
    AdmitNext(turn, gate, back,
              fmt::format("{}; at once to nine tenths of {}, which was carried", why,
                          trusted.ToString()));
    return;
  }
  turn.Commit(gate, turn.WithPhase(gate, Admitting{share}),
              PlanCause(gate, turn.now(), "go on", why));
}

void TakeOutAdaptive(Turn& turn, Gate& gate, const std::string& check, bool drains, Cause cause) {
  const Restoration& restoration = *gate.record.restoration;
  const Share share = gate.record.share;
  Carry(turn, gate,
        drains ? WithdrawAll(restoration, gate.evidence, share, turn.now())
               : Withdraw(restoration, gate.evidence, share, check, turn.now()),
        std::move(cause));
}

bool IsLeftToTheCure(const Gate& gate, const Situation& situation) {
  const Restoration& restoration = *gate.record.restoration;
  if (!IsAdaptive(restoration) || situation.reaction != OnFailure::kRetreat) return false;
  // In a hold nothing is regained: what fails after a lowering takes out more users only if it
  // lasts, or a bad second now and then would grind the share down to nothing.
  const bool is_held_lower =
      std::holds_alternative<Holding>(restoration.phase) && gate.evidence.progress.was_lowered;
  return is_held_lower || IsBeingCured(restoration);
}

bool IsBeingCured(const Restoration& restoration) {
  return std::holds_alternative<Curing>(restoration.phase) ||
         std::holds_alternative<Retreating>(restoration.phase);
}

Phase PhaseAfterHoldAdaptive(const GateRecord& record, TimePoint now) {
  const Restoration& restoration = *record.restoration;
  const Search& search = restoration.search;
  if (!restoration.passed_preflight) return Preflight{};
  const TimePoint cured = search.at + search.cure;
  if (record.share == Share::None() && search.drains == 0) return Preflight{};
  // A hold does not shorten a cure.
  if (record.share == Share::None() || now < cured) return Curing{search.from, cured};
  if (record.share == Share::All() && restoration.proven == Share::All()) return Watching{};
  return Admitting{record.share};
}

}  // namespace headgate::engine
