#include "controller/engine/situation.h"

#include <algorithm>
#include <utility>

#include "controller/engine/explain.h"

namespace headgate::engine {
namespace {

int RankOf(OnFailure reaction) {
  switch (reaction) {
    case OnFailure::kHold:
      return 0;
    case OnFailure::kRetreat:
      return 1;
    case OnFailure::kDrain:
      return 2;
  }
  return 2;
}

OnFailure ReactionOf(const PlanSpec& plan, const std::string& check, const Judgement& judgement) {
  if (judgement.drains) return OnFailure::kDrain;
  if (judgement.holds) return OnFailure::kHold;
  for (const CheckSpec& spec : plan.checks) {
    if (spec.name == check) return spec.on_failure;
  }
  return OnFailure::kRetreat;
}

}  // namespace

Situation Assess(const State& state, const Gate& gate, TimePoint now) {
  Situation situation;
  const PlanSpec& plan = gate.record.restoration->plan.spec();
  for (const auto& [name, judgement] : JudgeAll(gate, now, IsInPreflight(gate), false)) {
    // What was measured before the last lowering had settled is no reason for another one. Proven
    // drift is: it takes everybody out, and does so once.
    const bool is_answered =
        !judgement.drains && judgement.age && now - *judgement.age < gate.settled;
    if (judgement.verdict == Verdict::kFailed && !is_answered) {
      const OnFailure reaction = ReactionOf(plan, name, judgement);
      // The strongest reaction wins.
      if (!situation.failed || RankOf(reaction) > RankOf(situation.reaction)) {
        situation.failed = name;
        situation.reaction = reaction;
      }
    } else if (judgement.unknown_why == UnknownWhy::kNoData && !situation.silent) {
      situation.silent = name;
    }
  }
  situation.is_clear = IsClear(state, gate, now);
  const bool begins = std::holds_alternative<Preflight>(gate.record.restoration->phase);
  situation.is_ready = situation.is_clear || (begins && IsClear(state, gate, now, true));
  situation.is_pending = begins && !situation.is_ready && IsClear(state, gate, now, true, true);
  return situation;
}

std::string CheckText(const Gate& gate, const std::string& check, TimePoint now) {
  for (const auto& [name, judgement] : JudgeAll(gate, now, IsInPreflight(gate))) {
    if (name != check) continue;
    return judgement.unknown_why == UnknownWhy::kNoData ? name + " has no data: " + judgement.detail
                                                        : JudgementText(name, judgement, " is");
  }
  return "";
}

Cause PlanCause(const Gate& gate, TimePoint now, std::string what, std::string why) {
  return Cause{.kind = Cause::Kind::kPlan,
               .what = std::move(what),
               .why = std::move(why),
               .evidence = EvidenceLines(gate, now)};
}

Cause CheckCause(const Gate& gate, TimePoint now, std::string what, const std::string& check,
                 std::string why) {
  return Cause{.kind = Cause::Kind::kCheck,
               .who = check,
               .what = std::move(what),
               .why = std::move(why),
               .evidence = EvidenceLines(gate, now)};
}

Course CourseOf(const Gate& gate, TimePoint now, bool waits_are_over) {
  const Restoration& restoration = *gate.record.restoration;
  const Share share = gate.record.share;
  if (!IsAdaptive(restoration)) return {NextStep(restoration, share), ""};
  return NextShare(restoration, gate.evidence, share, now, waits_are_over);
}

std::optional<Share> ApprovalBefore(const Restoration& restoration, Share from, Share to) {
  std::optional<Share> needed;
  for (const Share share : restoration.plan.spec().approve_at) {
    if (share <= std::max(from, restoration.approved) || share > to) continue;
    if (!needed || share < *needed) needed = share;
  }
  return needed;
}

void AdmitNext(Turn& turn, Gate& gate, Share to, const std::string& why) {
  if (const auto needed = ApprovalBefore(*gate.record.restoration, gate.record.share, to)) {
    GateRecord next = turn.WithPhase(gate, WaitingForApproval{*needed});
    next.restoration->passed_preflight = true;
    turn.Commit(gate, std::move(next), PlanCause(gate, turn.now(), "wait for approval", why));
    return;
  }
  GateRecord next = turn.WithPhase(gate, Admitting{to});
  next.restoration->passed_preflight = true;
  if (IsAdaptive(*next.restoration)) RememberStep(next.restoration->search);
  next.share = to;
  next.no_raise = false;
  Cause cause = PlanCause(gate, turn.now(), "admit", why);
  turn.Propose(gate, std::move(next), std::move(cause), true);
}

void HoldFor(Turn& turn, Gate& gate, Holding::Why why, const std::string& check,
             const std::string& detail) {
  turn.Commit(gate, turn.WithPhase(gate, Holding{why, detail}),
              CheckCause(gate, turn.now(), "hold", check, detail));
}

}  // namespace headgate::engine
