// Reads the schemas of primary and replicas and tells how they differ, also from what the plan
// expects: twice where they do, because a change that is just on its way to a replica looks like
// drift.
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
#include "controller/database/schema_dialect.h"
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

// Of a probe.
struct ProbeDeadlines {
  Session::Deadlines look;
  FingerprintDeadlines fingerprint;
};

class FingerprintRun {
 public:
  // More differences of one replica are counted, not told.
  static constexpr std::size_t kFindingsMax = 20;

  // What it is given must outlive it.
  struct Tools {
    Servers& servers;
    const SchemaDialect& dialect;
    const Clock& clock;
  };

  FingerprintRun(const Inventory& inventory, const FingerprintDeadlines& deadlines,
                 const Tools& tools)
      : inventory_(inventory),
        deadlines_(deadlines),
        servers_(tools.servers),
        dialect_(tools.dialect),
        clock_(tools.clock) {}

  Report Run();

 private:
  struct Reading {
    absl::StatusOr<PrimarySchema> primary;
    std::map<std::string, absl::StatusOr<ReplicaSchema>> replicas;
  };

  Reading Read(const std::vector<const Replica*>& replicas);
  bool IsAllowed(const ObjectKey& key) const;
  // Without those that the inventory allows.
  std::vector<Difference> Differences(const Replica& replica, const PrimarySchema& primary,
                                      const ReplicaSchema& seen) const;
  void TellAllowed(const Replica& replica, const PrimarySchema& primary, const ReplicaSchema& seen);
  void TellGaps(const Replica& replica, const PrimarySchema& primary, const ReplicaSchema& seen);
  // Which of them have replayed `position`, waiting for it.
  std::set<std::string> WaitForReplay(const std::vector<const Replica*>& replicas,
                                      const std::string& position);
  void CheckVisible(const PrimarySchema& primary);
  // Both readings of one replica that differed in the first.
  void Tell(const Replica& replica, bool has_replayed, const Reading& first, const Reading& second);
  // What the primary is expected to be, against both readings: an unexpected schema is confirmed by
  // the second one.
  void TellUnexpected(const Schema& first, const Schema& second);
  void AddUnread(const std::string& server, const absl::Status& status);

  const Inventory& inventory_;
  const FingerprintDeadlines deadlines_;
  Servers& servers_;
  const SchemaDialect& dialect_;
  const Clock& clock_;
  Report report_;
};

}  // namespace headgate::database
