// Counters since the agent's boot, from a load balancer's that begin again at each of its reloads.
// One thread. Promises: no counter ever goes down, what was counted once stays counted, and no more
// answers are bad than there are.
#pragma once

#include <cstdint>
#include <deque>
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
  std::uint64_t new_cookies_refused = 0;
  std::uint64_t bypassed = 0;
  // Of the thresholds that are counted now: one that is not must not look like "none was slow".
  std::map<std::uint32_t, std::uint64_t> slow;
  // False while the load balancer's counters cannot be read: then nothing above has moved.
  bool live = false;

  friend bool operator==(const CounterSums&, const CounterSums&) = default;
};

// Bypassed requests whose answers have not been counted yet. It is forgiven after a while: one
// whose answer is counted nowhere, because it goes to another backend, would hide an admitted one.
class Debt {
 public:
  static constexpr Duration kForgivenAfter = std::chrono::seconds(60);

  void Add(std::uint64_t count, TimePoint now);
  // What is left of `count`, the oldest debts paid first.
  std::uint64_t Pay(std::uint64_t count, TimePoint now);
  void Forgive() { owed_.clear(); }

 private:
  struct Owed {
    std::uint64_t count = 0;
    TimePoint since;
  };
  std::deque<Owed> owed_;
};

class CounterSummer {
 public:
  // The first reading counts as 0: what was before the agent's boot is nobody's evidence.
  void Add(const RawCounters& raw, TimePoint now);
  void MarkSilent() { sums_.live = false; }
  const CounterSums& sums() const { return sums_; }

 private:
  std::optional<RawCounters> last_;
  // Load balancers count a bypassed request when it comes, and its answer at its end.
  Debt bypassed_;
  Debt bypassed_5xx_;
  // Of every threshold that was ever counted.
  std::map<std::uint32_t, std::uint64_t> slow_;
  CounterSums sums_;
};

}  // namespace headgate::agent
