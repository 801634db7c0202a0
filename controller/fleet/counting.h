// From an agent's cumulative totals to what was counted since its push before. A value; one per
// agent. Loss, repetition and restarts do no harm, and what cannot be is refused.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/fleet/session.h"

namespace headgate::fleet {

// More than this from one load balancer is no traffic but a broken or hostile agent.
inline constexpr std::uint64_t kRequestsPerSecondMax = 500'000;

// A load balancer with more gates than this is a mistake, or hostile.
inline constexpr std::size_t kGatesPerAgentMax = 32;

struct CountingResult {
  // Since the push before, by gate; only plausible ones.
  std::vector<GateTotals> deltas;
  // For people, one each; empty if all was plausible.
  std::vector<std::string> implausible;
  // A gap in the sequence or a new boot: the agent should say everything again.
  bool needs_full_state = false;
};

class Counting {
 public:
  CountingResult Add(const CountersPush& push, TimePoint now);

 private:
  struct Known {
    GateTotals totals;
    TimePoint at;
  };
  static std::optional<std::string> WhyImplausible(const Known& known, const GateTotals& totals,
                                                   TimePoint now);

  std::string boot_id_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, Known> known_;
};

}  // namespace headgate::fleet
