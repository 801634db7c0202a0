// Keeps one load balancer at what its gate should be: asks the gate for the next duty, does it, and
// tells the gate how it ended. One thread (the runner's). A turn is bounded by the enforcer's and
// the disk's own bounds, and by kDutiesPerTurnMax.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agents/core/counter_sums.h"
#include "agents/core/enforcer.h"
#include "agents/core/gate.h"
#include "agents/core/store.h"
#include "common/log/log.h"

namespace headgate::agent {

class Keeper {
 public:
  // More would be a quarrel with somebody else who changes the load balancer; the next turn goes
  // on.
  static constexpr int kDutiesPerTurnMax = 8;

  struct Parts {
    Enforcer& enforcer;
    Store& store;
    Log& log;
  };

  // Loads what a former run saved.
  Keeper(std::string gate, const Rails& rails, Parts parts, TimePoint now);

  // A directive: considered and acted upon at once, with the load balancer as it was last read.
  std::optional<Refusal> Take(const Offer& offer, TimePoint now);
  // What is due every push interval: look at override, load balancer and counters, and mend.
  void Tick(TimePoint now);

  Standing Describe(TimePoint now) const;
  const CounterSums& counters() const { return summer_.sums(); }
  // For metrics: how often the load balancer was changed, and how often that failed.
  std::uint64_t applied() const { return applied_; }
  std::uint64_t failed() const { return failed_; }
  // The load balancer could be asked at the last look.
  bool is_reachable() const { return is_reachable_; }

 private:
  void LookAtOverride(TimePoint now);
  void LookAtLoadBalancer();
  void Mend(TimePoint now);
  void Do(const Apply& apply, TimePoint now);
  void Do(const Save& save, TimePoint now);
  void Do(const Probe& probe, TimePoint now);
  void LogChange(TimePoint now);

  Parts parts_;
  const std::string name_;
  std::string memory_trouble_;
  Gate gate_;
  CounterSummer summer_;
  Standing logged_;
  std::uint64_t applied_ = 0;
  std::uint64_t failed_ = 0;
  bool is_reachable_ = false;
};

}  // namespace headgate::agent
