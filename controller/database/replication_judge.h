// Weighs what a look read against the declared inventory, and remembers what only time tells: the
// primary's positions, apply errors, and which replicas the primary fed before.
// One thread owns it. Pure: time is a parameter. Promises: every declared server that is in use has
// either been seen whole or has a finding; absent data is a finding, never health.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/inventory.h"
#include "controller/database/lag_ring.h"
#include "controller/database/observation.h"
#include "controller/database/slots.h"

namespace headgate::database {

// PostgreSQL 15 brought what is asked here (pg_stat_subscription_stats, published columns).
inline constexpr std::int64_t kVersionMin = 150'000;
// An apply worker that fails is started again and again, and looks well in between. A lost
// connection counts as one error too, so it takes two within this time to be FAILED; one is
// DEGRADED.
inline constexpr Duration kApplyErrorMemory{30'000};

// What was read of each server, by the replica's name. A replica that is `out` and has no dsn is in
// neither map.
struct Observation {
  // When the primary's position was asked for.
  TimePoint at;
  absl::StatusOr<PrimaryObservation> primary;
  std::map<std::string, absl::StatusOr<PhysicalObservation>> physical;
  std::map<std::string, absl::StatusOr<LogicalObservation>> logical;
};

// How far a replica has proven to have replayed: what it says itself, or for a logical one what it
// received or, freshly started, what it had confirmed to the primary before.
std::optional<std::uint64_t> ReplayedBy(const Subscription& subscription,
                                        const absl::StatusOr<PrimaryObservation>& primary);

// A standby says that it streams, and the primary that it feeds none: of another copy of the
// database, or of a standby that has connected between the two answers.
bool IsFedByNobody(const Observation& seen);

class ReplicationJudge {
 public:
  explicit ReplicationJudge(Inventory inventory) : inventory_(std::move(inventory)) {}

  Report Judge(const Observation& seen, TimePoint now);

 private:
  struct ApplyErrors {
    std::int64_t count = 0;
    // Of the last two rises.
    std::optional<TimePoint> last_rise;
    std::optional<TimePoint> rise_before;
  };

  void JudgePrimary(const Observation& seen);
  void JudgePhysical(const Replica& replica, const Observation& seen, TimePoint now);
  void JudgeLogical(const Replica& replica, const Observation& seen, TimePoint now);
  void JudgeSubscription(const Replica& replica, const Subscription& subscription,
                         const Observation& seen, TimePoint now);
  void JudgeApplyErrors(const Replica& replica, const Subscription& subscription, TimePoint now);
  void JudgeLag(const std::string& server, const std::optional<std::uint64_t>& replayed,
                const Observation& seen, TimePoint now);
  // What feeds a replica may soon be, or is, thrown away by the primary; null: it has no slot.
  void JudgeSlot(const Replica& replica, const Slot* slot);
  void JudgeOut(const Replica& replica, const Observation& seen);
  void JudgeNameless(const Observation& seen);
  void JudgeTwins(const Observation& seen);
  // Of a server that answered: rights and version. False: nothing else of it can be believed.
  bool JudgeIdentity(const std::string& server, const Identity& identity);
  // Of a server that did not answer.
  void JudgeSilence(const std::string& server, const absl::Status& status);
  // A replica that is silent to us: the primary may know that it is gone.
  void JudgeUnfed(const Replica& replica, const Observation& seen);
  void Add(Severity severity, const char* kind, const std::string& server, std::string text,
           bool drains = false);

  const Inventory inventory_;
  LagRing ring_;
  // By replica and subscription.
  std::map<std::string, ApplyErrors> apply_errors_;
  // Replicas that the primary's list has named since the start.
  std::set<std::string> fed_before_;
  Report report_;
};

}  // namespace headgate::database
