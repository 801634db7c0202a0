// Keeps one load balancer at what its gate should be: asks the gate for the next duty, does it, and
// tells the gate how it ended. One thread (the runner's). Whatever waits for a disk or a probe is
// an errand: while one is under way, directives are taken and lowerings made. A turn is bounded by
// the enforcer's own bounds and by kDutiesPerTurnMax.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "agents/core/counter_sums.h"
#include "agents/core/enforcer.h"
#include "agents/core/errands.h"
#include "agents/core/foreteller.h"
#include "agents/core/gate.h"
#include "agents/core/refuter.h"
#include "agents/core/store.h"
#include "common/log/log.h"

namespace headgate::agent {

class Keeper {
 public:
  // More would be a quarrel with somebody else who changes the load balancer; the next turn goes
  // on.
  static constexpr int kDutiesPerTurnMax = 8;
  // The clocks drift apart; less than this is no step.
  static constexpr Duration kWallStepMin{500};
  static constexpr Duration kMendFilesEvery{1000};

  struct Saved {
    Save save;
    absl::Status status;
  };
  struct Synced {
    absl::Status status;
  };
  struct Probed {
    Probe probe;
    absl::Status status;
  };
  struct KeysPut {
    absl::Status status;
  };
  struct Foretold {
    absl::Status status;
  };
  struct FilesMended {
    absl::Status status;
  };
  using Done = std::variant<Saved, Synced, Probed, KeysPut, Foretold, FilesMended>;

  struct Parts {
    Enforcer& enforcer;
    Store& store;
    Log& log;
    Errands& saving;
    Errands& syncing;
    Errands& probing;
    // Called where the errand ran; hands the result to OnDone on the keeper's thread.
    std::function<void(Done)> report;
    // Of the times that people are told; as CheckTimeZone takes it.
    std::string time_zone = kTimeZoneDefault;
  };

  // Loads what a former run saved.
  Keeper(std::string gate, const Rails& rails, Parts parts, TimePoint now);

  // Before the others: what the wall clock says now, because an override ends by that.
  void OnWallClock(TimePoint wall, TimePoint now);
  // A directive: considered and acted upon at once, with the load balancer as it was last read.
  std::optional<Refusal> Take(const Offer& offer, TimePoint now);
  void OnDone(const Done& done, TimePoint now);
  // Does what is due, without looking anew.
  void Mend(TimePoint now);
  // What is due every push interval: look at override, load balancer and counters, and mend.
  void Tick(TimePoint now);

  Standing Describe(TimePoint now) const;
  const CounterSums& counters() const { return summer_.sums(); }
  // For metrics: how often the load balancer was changed, and how often that failed.
  std::uint64_t applied() const { return applied_; }
  std::uint64_t failed() const { return failed_; }
  // The load balancer could be asked at the last look.
  bool is_reachable() const { return reading_.in_force.has_value(); }

 private:
  void LookAtOverride(TimePoint now);
  void Foretell(TimePoint now);
  void MendFiles(TimePoint now);
  bool HasLostFolder() const { return has_saved_ && !parts_.store.HasMemory(); }
  void RestoreOverride(TimePoint now);
  void LookAtLoadBalancer();
  void LookAtCounters(TimePoint now);
  // What the operator and the load balancer say now has not changed what is due.
  bool IsStillDue(const Apply& apply, TimePoint now);
  void Do(const Apply& apply, TimePoint now);
  void Note(const Apply& apply, const ApplyOutcome& outcome, TimePoint now);
  // Writes it for the load balancer's next start; FinishRaise does the rest when that is durable.
  void BeginRaise(const Apply& apply, TimePoint now);
  void FinishRaise(const absl::Status& synced, TimePoint now);
  // Unless one is under way, or nothing was written since the last.
  void StartSync();
  void KeepRoom();
  void Start(const Save& save);
  void Start(const Probe& probe);
  void Start(const PutKeys& put);
  void LogChange(TimePoint now);

  Parts parts_;
  const std::string name_;
  std::string memory_trouble_;
  Gate gate_;
  Foreteller foreteller_;
  // What the wall clock is ahead of the agent's own.
  Duration wall_ahead_{0};
  // The last one.
  Reading reading_;
  CounterSummer summer_;
  Refuter refuter_;
  Standing logged_;
  std::uint64_t applied_ = 0;
  std::uint64_t failed_ = 0;
  // Waits for the disk.
  std::optional<Apply> raise_;
  bool is_saving_ = false;
  bool has_saved_ = false;
  // An override was lost with its folder, and not released.
  bool owes_override_ = false;
  bool is_syncing_ = false;
  // Something was written since the last sync began.
  bool needs_sync_ = false;
  bool is_probing_ = false;
  bool is_putting_keys_ = false;
  bool is_foretelling_ = false;
  bool is_mending_ = false;
  TimePoint mend_not_before_;
  // Of the files beside the share's.
  absl::Status files_status_;
};

}  // namespace headgate::agent
