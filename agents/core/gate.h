// One gate as its agent sees it: a pure state machine. It has no clock, disk, socket or thread; the
// keeper tells it what happened and asks for the next duty. Any one thread at a time.
//
// What it promises, whatever the order of events and wherever the agent is killed:
//  - no version below one that it has seen is ever accepted;
//  - a raise is asked of the load balancer only after its directive is saved, fresh, within the
//    rails, and not forbidden by `no_raise`; a lowering is the very next duty;
//  - without a directive or an override there is no duty at all.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "agents/core/order.h"

namespace headgate::agent {

// How an Apply ended. For kDown `in_memory` is what counts; for kUp both must be OK.
struct ApplyOutcome {
  // The load balancer took it.
  absl::Status in_memory;
  // What it reads at its next start was written; for kDown not synced yet.
  absl::Status at_next_start;
};
// Of a raise whose share could not be written for the load balancer's next start.
absl::Status NotRaised(Share share, const absl::Status& at_next_start);

class Gate {
 public:
  static constexpr Duration kApplyRetry{250};
  static constexpr Duration kSaveRetry{1000};
  static constexpr Duration kKeysRetry{1000};
  static constexpr Duration kProbeRetry{500};
  static constexpr Duration kProbeRenewal{5000};

  // `memory`: what a former run of the agent saved. `now` counts as the last step up, because the
  // real one is not known.
  Gate(std::string name, Rails rails, std::optional<Memory> memory, TimePoint now);

  // Events.
  // A refusal is also part of every Standing until the next directive that is not refused.
  std::optional<Refusal> Consider(const Offer& offer, TimePoint now);
  // An error: the override's file is there and cannot be read; until it can, nothing is raised
  // above what is found in force.
  void SetOverride(std::optional<LocalOverride> local_override, absl::Status status);
  void Observe(const Reading& reading);
  // Saving, syncing and probing may take their time; other events may come in between.
  void OnSaved(const Save& save, const absl::Status& status, TimePoint now);
  // What was saved is not there any more.
  void OnMemoryLost() { saved_.reset(); }
  void OnApplied(const Apply& apply, const ApplyOutcome& outcome, TimePoint now);
  void OnKeysPut(const absl::Status& status, TimePoint now);
  // OK: everything that was written for the load balancer's next start survives a power failure.
  void OnSynced(const absl::Status& status);
  void OnProbed(const Probe& probe, const absl::Status& status, TimePoint now);
  // Not OK: the load balancer's counters refute the share in force.
  void OnCounted(absl::Status status) { counted_status_ = std::move(status); }

  // Decisions.
  Duty NextDuty(TimePoint now) const;
  Standing Describe(TimePoint now) const;
  // The share that must be in force now; unset: touch nothing.
  std::optional<Share> Desired(TimePoint now) const;
  const std::optional<LocalOverride>& local_override() const { return override_; }

 private:
  bool IsFresh(TimePoint now) const { return seen_ && now < fresh_until_; }
  // The operator's word as it stands at that time.
  std::optional<LocalOverride> WordAt(TimePoint now) const;
  // As Desired, were every override readable.
  std::optional<Share> Wanted(TimePoint now) const;
  // For a file that cannot be read, with the load balancer down or before the gate exists.
  std::optional<Share> ForAStart(TimePoint now) const;
  // What the load balancer has, as far as anybody can tell.
  std::optional<Share> Known() const;
  bool WantsRaise() const;
  std::optional<std::string> RailAgainst(Share share, TimePoint now) const;
  bool MayGrant(TimePoint now) const;
  Save NextSave(TimePoint now) const;
  std::uint32_t RetryAfter() const;
  bool IsInForce(Share share) const;
  bool LacksKeys() const;
  std::optional<Refusal> CurrentRefusal(TimePoint now) const;
  std::string Trouble() const;
  Stage CurrentStage(TimePoint now, bool refused) const;
  void LowerGranted();

  const std::string name_;
  const Rails rails_;

  std::optional<Directive> seen_;
  // Unset until the load balancer's own share at the first directive is known.
  std::optional<Share> granted_;
  std::optional<Memory> saved_;
  TimePoint fresh_until_;
  TimePoint last_step_up_;

  std::optional<LocalOverride> override_;
  absl::Status override_status_;

  Reading reading_;
  // The highest share that needs no fresh directive: what this agent last made, or found.
  std::optional<Share> held_;
  // What the last Apply was to make.
  std::optional<Share> applied_;
  // What the load balancer said last.
  std::optional<Share> found_;
  std::optional<Share> probed_;

  std::optional<Refusal> refusal_;
  absl::Status save_status_;
  absl::Status apply_status_;
  absl::Status file_status_;
  absl::Status sync_status_;
  bool is_synced_ = true;
  absl::Status keys_status_;
  absl::Status probe_status_;
  absl::Status counted_status_;
  TimePoint apply_not_before_;
  TimePoint save_not_before_;
  TimePoint keys_not_before_;
  TimePoint probe_not_before_;
};

}  // namespace headgate::agent
