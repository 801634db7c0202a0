// Counters since the agent's boot, from a load balancer's that begin again at each of its reloads.
// One thread. Promises: no counter ever goes down, what was counted once stays counted, and no more
// answers are bad than there are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "agents/core/enforcer.h"

namespace headgate::agent {

// Of one gate, since the agent's boot.
struct CounterSums {
  std::uint64_t admitted = 0;
  std::uint64_t http_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t refused = 0;
  std::uint64_t bypassed = 0;
  std::map<std::uint32_t, std::uint64_t> slow;
  // False while the load balancer's counters cannot be read: then nothing above has moved.
  bool live = false;

  friend bool operator==(const CounterSums&, const CounterSums&) = default;
};

class CounterSummer {
 public:
  // The first reading counts as 0: what was before the agent's boot is nobody's evidence.
  void Add(const RawCounters& raw);
  void MarkSilent() { sums_.live = false; }
  const CounterSums& sums() const { return sums_; }

 private:
  std::optional<RawCounters> last_;
  // Bypassed requests whose answers have not been counted yet, and bad answers that belong to
  // requests not counted yet: load balancers count both at different moments.
  std::uint64_t bypassed_due_ = 0;
  std::uint64_t bypassed_5xx_due_ = 0;
  std::uint64_t http_5xx_due_ = 0;
  CounterSums sums_;
};

}  // namespace headgate::agent
