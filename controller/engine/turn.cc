#include "controller/engine/turn.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/check.h"
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

std::string TextOf(const GateRecord& before, const GateRecord& after, const Cause& cause) {
  std::string text = fmt::format("{}: {} -> {}, {}", cause.what, before.share.ToString(),
                                 after.share.ToString(), PhaseName(after));
  if (!cause.who.empty()) text += fmt::format(" ({})", cause.who);
  if (!cause.why.empty()) text += ": " + cause.why;
  return text;
}

bool NeedsAPerson(const GateRecord& record) {
  return record.restoration && std::holds_alternative<Holding>(record.restoration->phase) &&
         std::get<Holding>(record.restoration->phase).why != Holding::Why::kOperatorAsked;
}

}  // namespace

Directive DirectiveOf(const GateRecord& record) {
  return Directive{.gate = record.gate,
                   .version = record.version,
                   .share = record.share,
                   .no_raise = record.no_raise,
                   .retry_after_s = Moves(record) ? kRetryAfterMoving : kRetryAfterStill};
}

void Turn::Enforce(Gate& gate, GateRecord next, const Cause& cause) {
  const bool is_lower = next.share < gate.record.share;
  const bool share_changes = next.share != gate.record.share;
  const std::string text = TextOf(gate.record, next, cause);
  gate.record = std::move(next);
  gate.cause = cause;
  gate.changed = now_;
  gate.clear_since.reset();
  gate.silent_since.reset();
  if (share_changes) {
    ForgetCounts(gate.evidence, now_);
    gate.share_changed = now_;
    gate.settling_since.reset();
    if (is_lower) gate.settling_since = now_;
  }
  Tell(gate, text, NeedsAPerson(gate.record));
  const auto& restoration = gate.record.restoration;
  if (gate.waiting_call != 0 && !std::holds_alternative<Preflight>(restoration->phase)) {
    Reply({.call = gate.waiting_call,
           .status = absl::FailedPreconditionError("preflight was ended, " + text)});
    gate.waiting_call = 0;
  }
}

void Turn::Commit(Gate& gate, GateRecord next, Cause cause) {
  HEADGATE_CHECK(!IsRaise(gate.record, next));
  gate.pending.reset();
  next.version = gate.record.version;
  const bool is_new_for_agents = DirectiveOf(next) != DirectiveOf(gate.record);
  if (is_new_for_agents) next.version = {state_.epoch, gate.next_revision++};
  Enforce(gate, std::move(next), cause);
  if (is_new_for_agents) actions_.emplace_back(Publish{DirectiveOf(gate.record)});
  HandToJournal(gate, gate.record, std::move(cause));
}

void Turn::Propose(Gate& gate, GateRecord next, Cause cause, bool needs_evidence) {
  next.version = {state_.epoch, gate.next_revision++};
  const std::uint64_t token = HandToJournal(gate, next, cause);
  gate.pending = PendingRaise{
      .token = token, .decided = now_, .next = std::move(next), .needs_evidence = needs_evidence};
  gate.cause = std::move(cause);
}

std::uint64_t Turn::HandToJournal(Gate& gate, const GateRecord& record, Cause cause) {
  const std::uint64_t token = state_.next_token++;
  gate.newest_token = token;
  gate.recorded = false;
  gate.record_again.reset();
  actions_.emplace_back(Record{token, record, std::move(cause)});
  return token;
}

void Turn::OnRecorded(Gate& gate, std::uint64_t token) {
  if (state_.leads) state_.journal_trouble.clear();
  if (token == gate.newest_token) gate.recorded = true;
  if (!gate.pending || gate.pending->token != token) return;
  PendingRaise raise = std::move(*gate.pending);
  gate.pending.reset();
  const bool is_stale = now_ - raise.decided > kRaiseStaleAfter;
  const bool stands = state_.leads && (!raise.needs_evidence ||
                                       (!is_stale && Obstacles(state_, gate, now_).empty()));
  if (!stands) {
    // The journal has a share that was never published: the next record sets it right.
    Commit(gate, gate.record,
           Cause{.kind = Cause::Kind::kPlan,
                 .what = "drop raise",
                 .why = "the evidence no longer stood when the journal had recorded it"});
    return;
  }
  gate.exists = true;
  const Cause cause = gate.cause;
  Enforce(gate, std::move(raise.next), cause);
  actions_.emplace_back(Publish{DirectiveOf(gate.record)});
}

void Turn::OnRecordFailed(Gate& gate, std::uint64_t token, const std::string& why) {
  if (state_.journal_trouble.empty()) Tell(gate, "the journal cannot record: " + why, true);
  state_.journal_trouble = why;
  if (token != gate.newest_token) return;
  // A raise that could not be recorded never was; what is in force is recorded when that works.
  gate.pending.reset();
  gate.clear_since.reset();
  if (gate.exists) gate.record_again = now_ + kRecordAgainAfter;
}

void Turn::RecordAgain(Gate& gate) { HandToJournal(gate, gate.record, gate.cause); }

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
