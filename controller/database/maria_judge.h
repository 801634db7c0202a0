// Weighs what a look read from MariaDB servers against the declared inventory, and remembers what
// only time tells: the primary's positions, the replicas', and which ones the primary fed before.
// One thread owns it. Pure: time is a parameter. Promises: every declared server that is in use has
// either been seen whole or has a finding; absent data is a finding, never health.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/gtid.h"
#include "controller/database/inventory.h"
#include "controller/database/maria_observation.h"

namespace headgate::database {

// MariaDB 10.6 brought what is asked here; 10.11 is what it was tried on.
inline constexpr std::int64_t kMariaVersionMin = 100'600;
// How long a replica's own write is told after it was seen.
inline constexpr Duration kOwnWriteMemory{600'000};

// What was read of each server, by the replica's name. A replica that is `out` and has no dsn is
// left out.
struct MariaObservation {
  // When the primary's position was asked for.
  TimePoint at;
  absl::StatusOr<MariaPrimary> primary;
  std::map<std::string, absl::StatusOr<MariaReplica>> replicas;
};

class MariaJudge {
 public:
  explicit MariaJudge(Inventory inventory) : inventory_(std::move(inventory)) {}

  Report Judge(const MariaObservation& seen, TimePoint now);

 private:
  // Of a replica, at the last look.
  struct Memory {
    GtidPosition replicated;
    // By domain, the last transaction of its own.
    GtidPosition own;
    std::optional<TimePoint> wrote_at;
  };

  void JudgePrimary(const MariaObservation& seen);
  void JudgeReplica(const Replica& replica, const MariaObservation& seen, TimePoint now);
  void JudgeSettings(const Replica& replica, const MariaIdentity& identity);
  void JudgeTriggers(const Replica& replica, const MariaIdentity& identity);
  void JudgeLinks(const Replica& replica, const MariaReplica& seen_replica,
                  const MariaObservation& seen);
  void JudgeLink(const Replica& replica, const MariaLink& link);
  void JudgeAhead(const Replica& replica, const MariaReplica& seen_replica,
                  const MariaPrimary& primary);
  void JudgeOwnWrites(const Replica& replica, const MariaIdentity& identity, TimePoint now);
  void JudgeLag(const Replica& replica, const MariaReplica& seen_replica,
                const MariaObservation& seen, TimePoint now);
  void JudgeOut(const Replica& replica, const MariaObservation& seen);
  // More replicas are fed than are declared as in use.
  void JudgeStrangers(const MariaObservation& seen);
  void JudgeTwins(const MariaObservation& seen);
  // Of a server that answered. False: nothing else of it can be believed.
  bool JudgeIdentity(const std::string& server, const MariaIdentity& identity);
  bool JudgeRights(const std::string& server, const MariaIdentity& identity,
                   const absl::Status& status, const char* privilege, const char* what);
  void JudgeSilence(const std::string& server, const std::string& dsn, const absl::Status& status);
  // A replica that is silent to us: the primary may know that it is gone.
  void JudgeUnfed(const Replica& replica, const MariaObservation& seen);
  void Add(Severity severity, const char* kind, const std::string& server, std::string text,
           bool drains = false);

  const Inventory inventory_;
  GtidLag lag_;
  std::map<std::string, Memory> memories_;
  // Replicas that were fed by the primary itself when they last answered.
  std::set<std::string> fed_before_;
  Report report_;
};

}  // namespace headgate::database
