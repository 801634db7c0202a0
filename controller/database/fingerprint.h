// Reads the schemas of primary and replicas and tells how they differ: twice where they do, because
// a change that is just on its way to a replica looks like drift.
// One thread owns it, for one run. Promises: a difference drains only if it was seen twice, the
// second time after the replica had replayed the primary's position of the first, with the
// primary's definition unchanged between; what cannot be read or confirmed is UNKNOWN.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/inventory.h"
#include "controller/database/schema.h"
#include "controller/database/servers.h"

namespace headgate::database {

struct FingerprintDeadlines {
  Session::Deadlines reading{
      .connect = Duration(1'000), .statement = Duration(5'000), .total = Duration(8'000)};
  // How long a replica that differs is given to replay the primary's position.
  Duration confirm{3'000};
  // The least time between the two readings.
  Duration apart{500};
};

class FingerprintRun {
 public:
  // More differences of one replica are counted, not told.
  static constexpr std::size_t kFindingsMax = 20;

  FingerprintRun(const Inventory& inventory, const FingerprintDeadlines& deadlines,
                 Servers& servers, const Clock& clock)
      : inventory_(inventory), deadlines_(deadlines), servers_(servers), clock_(clock) {}

  Report Run();

 private:
  // Subscribed tables and publications of a logical replica.
  struct Subscribed {
    std::set<std::string> publications;
    std::set<std::string> tables;
  };
  struct PrimaryReading {
    Schema schema;
    // By publication.
    std::map<std::string, PublishedTables> published;
    std::uint64_t position = 0;
  };
  struct ReplicaReading {
    Schema schema;
    Subscribed subscribed;
  };
  struct Reading {
    absl::StatusOr<PrimaryReading> primary;
    std::map<std::string, absl::StatusOr<ReplicaReading>> replicas;
  };

  Reading Read(const std::vector<const Replica*>& replicas);
  static absl::StatusOr<PrimaryReading> ParsePrimary(const Answers& answers);
  static absl::StatusOr<ReplicaReading> ParseReplica(const Replica& replica,
                                                     const Answers& answers);
  static std::vector<Difference> Differences(const Replica& replica, const PrimaryReading& primary,
                                             const ReplicaReading& seen);
  static PublishedTables PublishedFor(const PrimaryReading& primary, const Subscribed& subscribed);
  // Which of them have replayed `position`, waiting for it.
  std::set<std::string> WaitForReplay(const std::vector<const Replica*>& replicas,
                                      std::uint64_t position);
  bool HasReplayed(const Replica& replica, const std::map<std::string, Answers>& answers,
                   std::uint64_t position) const;
  void CheckVisible(const PrimaryReading& primary);
  void TellCoverage(const Replica& replica, const PrimaryReading& primary,
                    const ReplicaReading& seen);
  // Both readings of one replica that differed in the first.
  void Tell(const Replica& replica, bool has_replayed, const Reading& first, const Reading& second);
  void AddUnread(const std::string& server, const absl::Status& status);

  const Inventory& inventory_;
  const FingerprintDeadlines deadlines_;
  Servers& servers_;
  const Clock& clock_;
  Report report_;
};

}  // namespace headgate::database
