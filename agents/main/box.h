// What an operator does on the box itself: look, lower, override, release. Works with the agent
// alive, hung or dead, without a controller, and, for a lowering, on a full disk: it speaks to
// the load balancer itself and leaves its word as a file that the agent looks for before each of
// its writes. One thread; each call takes a few seconds at most.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "agents/core/enforcer.h"
#include "agents/core/store.h"
#include "agents/main/config.h"
#include "agents/main/lock.h"

namespace headgate::agent {

class Box {
 public:
  // One gate, as the load balancer and the files say.
  struct GateSeen {
    Reading reading;
    absl::StatusOr<std::optional<Memory>> memory;
    absl::StatusOr<std::optional<LocalOverride>> local_override;
  };

  // `gate`: empty for every gate of the configuration.
  Box(const Config& config, std::string gate, std::ostream& out);

  // Exit codes. Status: kExitCouldNotTell if a load balancer cannot be asked.
  int Status(bool as_json, TimePoint now) const;
  // Joins what stands already and never raises. kExitUnconfirmed: it is not proven that no more
  // than `share` is admitted, or stays so.
  int Lower(Share share, TimePoint now) const;
  int Override(Share share, TimePoint until) const;
  int Release() const;

 private:
  std::vector<GateConfig> Chosen() const;
  struct Lowered {
    bool confirmed = false;
    // What stood when it was said, and what stands now.
    std::optional<LocalOverride> before;
    LocalOverride word;
    // Seen by the agent, and by the load balancer at its next start; not synced yet.
    absl::Status saved;
    absl::Status file;
  };
  struct Tried {
    // What it reads at its next start.
    absl::Status file;
    Reading seen;
  };
  // Both wait for no disk.
  // What it is meant to be; not confirmed yet.
  Lowered LowerGate(const GateConfig& gate, Share share, TimePoint now) const;
  Lowered SayCeiling(const GateConfig& gate, Enforcer& enforcer, const Tried& tried, Share share,
                     TimePoint now) const;
  // `before`: of one that did not answer then, which is not waited for again.
  static Tried PutAtMost(Enforcer& enforcer, Share most, const Tried* before = nullptr);
  static std::string WhatStands(const std::string& gate, const Lowered& lowered);
  // Waits for the disk, and says what is kept; false if the lowering is not sure to last.
  bool KeepLowered(const GateConfig& gate, Lowered lowered) const;
  bool OverrideGate(const GateConfig& gate, Share share, TimePoint until) const;
  // Says who confirmed; false if nobody did.
  enum class Aim { kAtMost, kDownTo, kUpTo };
  bool Confirm(Enforcer& enforcer, const GateConfig& gate, Share share, Aim aim) const;
  AgentSeen Agent() const;
  GateSeen Look(const GateConfig& gate) const;
  void Print(const GateConfig& gate, const GateSeen& seen, TimePoint now) const;
  // What becomes of the share once nobody's word stands over it.
  std::string WhatFollows(FileStore& store) const;

  const Config& config_;
  const std::string gate_;
  std::ostream& out_;
};

}  // namespace headgate::agent
