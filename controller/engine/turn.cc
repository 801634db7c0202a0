#include "controller/engine/turn.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/base/gate_name.h"
#include "controller/engine/attention.h"
#include "controller/engine/engine.h"
#include "controller/engine/explain.h"

namespace headgate::engine {
namespace {

// While nothing moves, waiting users need not come back so often.
constexpr std::uint32_t kRetryAfterMoving = 10;
constexpr std::uint32_t kRetryAfterStill = 30;

bool Moves(const GateRecord& record) {
  return record.restoration && (std::holds_alternative<Admitting>(record.restoration->phase) ||
                                std::holds_alternative<Curing>(record.restoration->phase));
}

std::string PhaseName(const GateRecord& record) {
  return record.restoration ? NameOf(record.restoration->phase) : "no restoration";
}

bool IsRaise(const GateRecord& from, const GateRecord& to) {
  return to.share > from.share || (from.no_raise && !to.no_raise);
}

// The prior probability of each change of the share is spent once, whatever restarts.
void CountChange(const GateRecord& from, GateRecord& to) {
  if (to.share == from.share && !IsRaise(from, to)) return;
  if (to.restoration && to.restoration->plan.spec().adaptive) to.restoration->search.changes += 1;
}

std::string TextOf(const GateRecord& before, const GateRecord& after, const Cause& cause) {
  std::string text = fmt::format("{}: {} -> {}, {}", cause.what, before.share.ToString(),
                                 after.share.ToString(), PhaseName(after));
  if (!cause.who.empty()) text += fmt::format(" ({})", cause.who);
  if (!cause.why.empty()) text += ": " + cause.why;
  return text;
}

}  // namespace

Directive DirectiveOf(const GateRecord& record) {
  return Directive{.gate = record.gate,
                   .version = record.version,
                   .share = record.share,
                   .no_raise = record.no_raise,
                   .retry_after_s = Moves(record) ? kRetryAfterMoving : kRetryAfterStill,
                   .cookie_keys = record.cookie_keys};
}

void Turn::Enforce(Gate& gate, GateRecord next, const Cause& cause) {
  const bool is_lower = next.share < gate.record.share;
  // Agents that were kept low by no_raise rise when it is lifted.
  const bool share_changes = is_lower || IsRaise(gate.record, next);
  const std::string text = TextOf(gate.record, next, cause);
  const Share before = gate.record.share;
  gate.record = std::move(next);
  gate.cause = cause;
  gate.changed = now_;
  gate.clear_since.reset();
  gate.silent_since.reset();
  gate.is_overdue = false;
  if (share_changes) {
    ForgetCounts(gate.evidence, now_, is_lower);
    if (gate.record.restoration) {
      const std::uint32_t change = std::max(gate.record.restoration->search.changes, 1U);
      BeginShare(gate.evidence, before, change, is_lower);
    }
    gate.share_changed = now_;
    gate.settling_since.reset();
    if (is_lower) gate.settling_since = now_;
  }
  Tell(gate, text, NeedsAPerson(gate));
  const auto& restoration = gate.record.restoration;
  if (gate.waiting_call != 0 && !std::holds_alternative<Preflight>(restoration->phase)) {
    AnswerStart(gate, text);
  }
}

// The caller of a start waits for the end of its preflight.
void Turn::AnswerStart(Gate& gate, const std::string& text) {
  const Phase& phase = gate.record.restoration->phase;
  const bool has_passed =
      std::holds_alternative<Admitting>(phase) || std::holds_alternative<WaitingForApproval>(phase);
  Replied reply{.call = gate.waiting_call, .version = gate.record.version};
  if (has_passed) {
    reply.summary = "the ramp begins, " + text;
  } else {
    reply.status = absl::FailedPreconditionError("preflight was ended, " + text);
  }
  Reply(std::move(reply));
  gate.waiting_call = 0;
}

void Turn::Commit(Gate& gate, GateRecord next, Cause cause) {
  HEADGATE_CHECK(!IsRaise(gate.record, next));
  gate.pending.reset();
  next.version = gate.record.version;
  CountChange(gate.record, next);
  // Nothing was ever published for a gate that was taken over from its agents: not all of them may
  // have spoken, so that even the same share is news. And whatever an operator decides: should the
  // journal not get it, the agents' version proves to the next reign that there was something.
  const bool is_new_for_agents = DirectiveOf(next) != DirectiveOf(gate.record) ||
                                 gate.record.version == Version{} ||
                                 cause.kind == Cause::Kind::kOperator;
  if (is_new_for_agents) next.version = {state_.epoch, TakeRevision(state_, gate)};
  Enforce(gate, std::move(next), cause);
  if (is_new_for_agents) actions_.emplace_back(Publish{DirectiveOf(gate.record)});
  HandToJournal(gate, gate.record, std::move(cause));
}

void Turn::Propose(Gate& gate, GateRecord next, Cause cause, bool needs_evidence) {
  next.version = {state_.epoch, TakeRevision(state_, gate)};
  CountChange(gate.record, next);
  const std::uint64_t token = HandToJournal(gate, next, cause);
  gate.pending = PendingRaise{.token = token,
                              .decided = now_,
                              .next = std::move(next),
                              .cause = std::move(cause),
                              .needs_evidence = needs_evidence};
}

std::uint64_t Turn::HandToJournal(Gate& gate, const GateRecord& record, Cause cause,
                                  std::uint64_t repeats) {
  HandRemovalsToJournal();
  // The newest word of a name counts.
  state_.removals.erase(record.gate);
  const std::uint64_t token = state_.next_token++;
  gate.newest_token = token;
  gate.recorded = false;
  gate.record_again.reset();
  actions_.emplace_back(Record{token, record, std::move(cause), repeats});
  return token;
}

// A raise that the journal has: whether what allowed it still holds.
bool Turn::Stands(const Gate& gate, const PendingRaise& raise) const {
  if (!state_.leads) return false;
  // Whoever lowered the whole meanwhile meant the part too.
  if (!gate.exists && IsPart(gate.record.gate) && !StillParts(state_, raise.next)) return false;
  if (!raise.needs_evidence) return !raise.next.open_until || now_ < *raise.next.open_until;
  return now_ - raise.decided <= kRaiseStaleAfter && Obstacles(state_, gate, now_).empty();
}

void Turn::OnRecorded(Gate& gate, std::uint64_t token) {
  if (state_.leads) state_.journal_trouble.clear();
  // Who lost the reign dropped the raise that this may be, and cannot set the journal right.
  if (token == gate.newest_token && state_.leads) gate.recorded = true;
  if (!gate.pending || gate.pending->token != token) return;
  PendingRaise raise = std::move(*gate.pending);
  gate.pending.reset();
  if (!Stands(gate, raise)) {
    if (!gate.exists) {
      RecordRemoval(gate, Cause{.kind = Cause::Kind::kPlan,
                                .what = "drop split",
                                .why = "the gate was changed before the journal had recorded it"});
      return;
    }
    // The journal has a share that was never published: the next record sets it right.
    GateRecord next = gate.record;
    // The time that the journal took is none of the platform's.
    const bool is_preflight =
        next.restoration && std::holds_alternative<Preflight>(next.restoration->phase);
    if (is_preflight) next.restoration->phase_since = now_;
    Commit(gate, std::move(next),
           Cause{.kind = Cause::Kind::kPlan,
                 .what = "drop raise",
                 .why = "its time was over when the journal had recorded it"});
    return;
  }
  gate.exists = true;
  Enforce(gate, std::move(raise.next), raise.cause);
  actions_.emplace_back(Publish{DirectiveOf(gate.record)});
}

void Turn::OnRecordFailed(Gate& gate, std::uint64_t token, const std::string& why) {
  if (state_.journal_trouble.empty()) Tell(gate, "the journal cannot record: " + why, true);
  state_.journal_trouble = why;
  if (token != gate.newest_token) return;
  gate.failed_token = token;
  if (gate.pending) {
    // A raise that could not be recorded never was. The journal may have it all the same: what is
    // in force is recorded after it.
    gate.pending.reset();
    gate.failed_token = 0;
    gate.cause = Cause{.kind = Cause::Kind::kPlan,
                       .what = "drop raise",
                       .why = "the journal could not record it: " + why};
  }
  gate.clear_since.reset();
  // Without the reign the journal will never take it.
  if (gate.exists && state_.leads) gate.record_again = now_ + kRecordAgainAfter;
}

void Turn::RecordAgain(Gate& gate) {
  HandToJournal(gate, gate.record, gate.cause, gate.failed_token);
}

void Turn::Note(Gate& gate, Cause cause) {
  HEADGATE_CHECK(!gate.pending);
  HandToJournal(gate, gate.record, std::move(cause));
}

GateRecord Turn::WithPhase(const Gate& gate, Phase phase) const {
  GateRecord next = gate.record;
  HEADGATE_CHECK(next.restoration.has_value());
  next.restoration->phase = std::move(phase);
  next.restoration->phase_since = now_;
  return next;
}

void Turn::Tell(const Gate& gate, std::string text, bool pages) {
  actions_.emplace_back(Told{gate.record.gate, std::move(text), pages});
}

}  // namespace headgate::engine
