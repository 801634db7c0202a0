// What the checks of a gate amount to in one turn, and what the ramp's files share: causes, the
// share that follows, holding, admitting. Internal.
#pragma once

#include <optional>
#include <string>

#include "controller/engine/adaptive.h"
#include "controller/engine/plan.h"
#include "controller/engine/turn.h"

namespace headgate::engine {

struct Situation {
  // The check that fails, and how it wants to be answered; unset: none does.
  std::optional<std::string> failed;
  OnFailure reaction = OnFailure::kRetreat;
  // The first check without data.
  std::optional<std::string> silent;
  // Nothing stands in the way of a raise.
  bool is_clear = false;
  // In preflight: nor of beginning, at the present share. Else the same.
  bool is_ready = false;
  // In preflight: nothing stands in the way but data that are being compared for the first time.
  bool is_pending = false;
};

Situation Assess(const State& state, const Gate& gate, TimePoint now);
// "errors is FAILED: …"; empty for a check that the plan does not have.
std::string CheckText(const Gate& gate, const std::string& check, TimePoint now);

Cause PlanCause(const Gate& gate, TimePoint now, std::string what, std::string why);
Cause CheckCause(const Gate& gate, TimePoint now, std::string what, const std::string& check,
                 std::string why);

// The share that follows the present one by the plan, whatever the evidence says.
Course CourseOf(const Gate& gate, TimePoint now, bool waits_are_over = false);
// The share on the way that a person must approve first, if any.
std::optional<Share> ApprovalBefore(const Restoration& restoration, Share from, Share to);
// Admits `to`, or waits for the approval that it needs.
void AdmitNext(Turn& turn, Gate& gate, Share to, const std::string& why);
void HoldFor(Turn& turn, Gate& gate, Holding::Why why, const std::string& check,
             const std::string& detail);

// --- Adaptive steps. ramp_adaptive.cc

void SteerAdmittingAdaptive(Turn& turn, Gate& gate, const Situation& situation);
void SteerRetreatingAdaptive(Turn& turn, Gate& gate);
void SteerCuringAdaptive(Turn& turn, Gate& gate, const Curing& phase, const Situation& situation);
// A check has FAILED, or was silent for longer than the plan's patience.
void TakeOutAdaptive(Turn& turn, Gate& gate, const std::string& check, bool drains, Cause cause);
// A cure that does not succeed has its own course: counts that fail then are no news.
bool IsLeftToTheCure(const Gate& gate, const Situation& situation);
// Users have just been taken out, with adaptive steps.
bool IsBeingCured(const Restoration& restoration);
// Counts the time, of what was weighed, in which a check goes on failing.
void CountFailing(Gate& gate, const Situation& situation, Duration weighed);
// True where it has decided: the time is blamed, or users are taken out.
bool CureGoesLower(Turn& turn, Gate& gate, const Situation& situation);
Phase PhaseAfterHoldAdaptive(const GateRecord& record, TimePoint now);

}  // namespace headgate::engine
