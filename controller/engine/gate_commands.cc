// Orders about the gate itself: creating, closing, opening and dividing it, and the keys of its
// cookies.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/base/gate_name.h"
#include "common/base/text.h"
#include "controller/engine/carrier.h"

namespace headgate::engine {

absl::Status Carrier::operator()(const CreateGate& order) {
  // One that is known only from its agents may be written down.
  if ((gate_.exists && !IsAdopted(gate_)) || gate_.pending) {
    return absl::AlreadyExistsError(fmt::format(
        "gate {0} exists already: `headgate status {0}` shows it, `headgate start PLAN` "
        "or `headgate close {0}` moves its share",
        command_.gate));
  }
  GateRecord next = gate_.record;
  next.share = order.share;
  // Where its agents enforce less, of a journal that was lost, creating it raises nobody.
  next.no_raise = next.share > Share::None();
  absl::Status keys;
  // Of a gate that is known only from its agents they may have keys: those stay.
  if (order.cookie_key && !gate_.exists) {
    keys = BeginRotation(turn_.state(), gate_, *order.cookie_key, next.cookie_keys);
  }
  if (!keys.ok()) return keys;
  Propose(std::move(next), "create", false);
  summary_ = fmt::format("gate {} is created at {}", command_.gate, order.share.ToString());
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const CloseGate&) {
  // Who closes a gate in the middle of the night means all of it.
  for (Gate* part : PartsOf(turn_.state(), gate_)) {
    const absl::Status closed = Carrier(turn_, command_, *part)(CloseGate{});
    if (closed.ok()) parts_[part->record.gate] = part->record.version;
  }
  GateRecord next = gate_.record;
  EndRestoration(next, "closed by " + command_.actor);
  next.share = Share::None();
  Commit(std::move(next), "close");
  summary_ = fmt::format("gate {} is closed at the controller", command_.gate);
  if (!parts_.empty()) summary_ += fmt::format(", with {}", PartNames(turn_.state(), gate_));
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const OpenGate& order) {
  if (IsBlank(command_.reason)) {
    return absl::InvalidArgumentError(
        "`open` admits everybody without evidence: say why, with --reason");
  }
  if (order.until <= turn_.now()) {
    return absl::InvalidArgumentError("`open` needs an expiry in the future: --for 10m");
  }
  GateRecord next = gate_.record;
  const bool ends_one = IsRestoring(next);
  EndRestoration(next, "opened by " + command_.actor);
  if (!gate_.record.open_until) next.share_before_open = gate_.record.share;
  next.open_until = order.until;
  next.share = Share::All();
  next.no_raise = false;
  summary_ = fmt::format("gate {} opens to 100 % without evidence until {}, then goes back to {}",
                         command_.gate, FormatTime(order.until), next.share_before_open.ToString());
  if (ends_one) {
    summary_ += fmt::format(
        "; restoration {} is ABORTED by it and does not go on: `headgate start` "
        "begins another",
        next.restoration->id);
  }
  Propose(std::move(next), "open", false);
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const RotateCookieKey& order) {
  GateRecord next = gate_.record;
  absl::Status status = BeginRotation(turn_.state(), gate_, order.key, next.cookie_keys);
  if (!status.ok()) return status;
  const CookieKeys keys = next.cookie_keys;
  Commit(std::move(next), "rotate cookie key");
  for (Gate* part : PartsOf(turn_.state(), gate_)) {
    GateRecord same = part->record;
    same.cookie_keys = keys;
    turn_.Commit(*part, std::move(same), CauseOf("rotate cookie key"));
    parts_[part->record.gate] = part->record.version;
  }
  summary_ = RotationText(command_.gate, keys);
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const SplitGate& order) {
  absl::StatusOr<GateRecord> next = Split(turn_.state(), gate_, order.labels);
  if (!next.ok()) return next.status();
  summary_ = fmt::format("{} is a part of its own from now on, at {} as before", command_.gate,
                         next->share.ToString());
  Propose(*std::move(next), "split", false);
  return absl::OkStatus();
}

absl::Status Carrier::operator()(const RemoveGate&) {
  if (absl::Status status = MayRemove(turn_.state(), gate_); !status.ok()) return status;
  is_removal_ = true;
  turn_.RecordRemoval(gate_, CauseOf("remove"));
  if (!IsPart(command_.gate)) {
    summary_ = fmt::format("gate {} is removed", command_.gate);
    return absl::OkStatus();
  }
  // Newer than anything that those who come back were told. What they were kept below, say by a
  // restart, they stay below.
  Gate& whole = turn_.state().gates.at(WholeOf(command_.gate));
  GateRecord next = whole.record;
  next.no_raise = next.no_raise || next.share > Share::None();
  // Those that are not back yet are waited for there.
  next.agents.insert(gate_.record.agents.begin(), gate_.record.agents.end());
  Cause cause = CauseOf("take back part");
  cause.why = command_.gate + (cause.why.empty() ? "" : ": " + cause.why);
  turn_.Commit(whole, std::move(next), std::move(cause));
  summary_ = fmt::format("{} is removed: its load balancers obey {} again, at {} as before",
                         command_.gate, whole.record.gate, whole.record.share.ToString());
  return absl::OkStatus();
}

}  // namespace headgate::engine
