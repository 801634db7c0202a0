// Weighs the load of each declared server against its bounds, and remembers the counters of the
// last minute and the damaged pages that were known at the first look.
// One thread owns it. Pure: time is a parameter. Promises: load is never a reason to drain; a
// damaged page that was found since the first look is; counters that begin anew (a restart, a
// reset) are no events.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/database/inventory.h"
#include "controller/database/load.h"

namespace headgate::database {

// Deadlocks and rollbacks are counted over this time.
inline constexpr Duration kLoadMemory{60'000};
// Load and damaged pages are looked at with every fifth look, when looks come each second, a little
// early or late.
inline constexpr Duration kLoadEvery{5'000};
inline constexpr Duration kLoadSlack{500};

class LoadJudge {
 public:
  enum class Role { kPrimary, kPhysical, kLogical };
  struct Server {
    // "primary", or the replica's name.
    std::string name;
    Role role = Role::kPrimary;
    absl::StatusOr<LoadObservation> seen;
  };
  struct Verdicts {
    std::vector<Finding> findings;
    std::vector<std::string> notes;
  };

  explicit LoadJudge(Bounds bounds) : bounds_(bounds) {}

  Verdicts Judge(const std::vector<Server>& servers, TimePoint now);

 private:
  struct Sample {
    TimePoint at;
    LoadCounters counters;
  };
  struct Memory {
    // Oldest first; the newest one that is over kLoadMemory old stays, to count from.
    std::deque<Sample> samples;
    // Damaged pages that are history.
    std::uint64_t failures_known = 0;
  };

  void JudgeServer(const Server& server, const LoadObservation& seen, TimePoint now);
  void JudgeConnections(const Server& server, const LoadObservation& seen);
  void JudgeWaiting(const Server& server, const LoadObservation& seen);
  void JudgeCounters(const Server& server, const Memory& memory);
  void JudgeDamage(const Server& server, const LoadObservation& seen, Memory& memory, bool is_new);
  static void Remember(Memory& memory, const LoadCounters& counters, TimePoint now);
  void Add(Severity severity, const char* kind, const Server& server, std::string text,
           bool drains = false);

  const Bounds bounds_;
  std::map<std::string, Memory> memories_;
  Verdicts verdicts_;
};

}  // namespace headgate::database
