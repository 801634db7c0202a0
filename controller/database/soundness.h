// What is wrong with each server for itself, whatever the others say, and is too slow to ask at
// every look: collations whose order the operating system has changed, sequences behind the ids
// that they are to give, and pages that amcheck finds damaged.
// One thread owns it, for one run. Promises: writes nothing, blocks nobody (amcheck's light checks
// take the lock of a reader), and what could not be asked is UNKNOWN; a finding drains only if it
// proves damage.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/database/inventory.h"
#include "controller/database/servers.h"

namespace headgate::database {

class SoundnessRun {
 public:
  // More sequences are not looked at, and that is told.
  static constexpr std::size_t kSequencesMax = 200;

  SoundnessRun(const Inventory& inventory, const Session::Deadlines& deadlines, Servers& servers,
               const Clock& clock)
      : inventory_(inventory), deadlines_(deadlines), servers_(servers), clock_(clock) {}

  void AddTo(Report& report);

 private:
  void AddCollations(const std::string& server, const absl::StatusOr<Rows>& answer,
                     Report& report) const;
  void AddSequences(const absl::StatusOr<Rows>& listed, Report& report);
  void AddUnread(const std::string& server, const std::string& what, const absl::Status& status,
                 Report& report) const;

  const Inventory& inventory_;
  const Session::Deadlines deadlines_;
  Servers& servers_;
  const Clock& clock_;
};

}  // namespace headgate::database
