#include "controller/database/slots.h"

#include <fmt/format.h>

#include <algorithm>

#include "controller/database/replication_judge.h"

namespace headgate::database {

const Slot* FindSlot(const PrimaryObservation& primary, const std::string& name) {
  const auto found = std::find_if(primary.slots.begin(), primary.slots.end(),
                                  [&](const Slot& slot) { return slot.name == name; });
  return found == primary.slots.end() ? nullptr : &*found;
}

const Walsender* FindFeeder(const PrimaryObservation& primary, const std::string& name) {
  const auto found = std::find_if(primary.walsenders.begin(), primary.walsenders.end(),
                                  [&](const Walsender& sender) {
                                    return sender.application_name == name || sender.slot == name;
                                  });
  return found == primary.walsenders.end() ? nullptr : &*found;
}

const Slot* SlotOf(const PrimaryObservation& primary, const std::string& replica) {
  const Walsender* feeder = FindFeeder(primary, replica);
  return FindSlot(primary, feeder == nullptr || feeder->slot.empty() ? replica : feeder->slot);
}

void ReplicationJudge::JudgeSlot(const Replica& replica, const Slot* slot) {
  if (slot == nullptr) return;
  if (slot->wal_status == "lost") {
    return Add(Severity::kFailed, "slot_lost", replica.name,
               fmt::format("replica {}: the primary has thrown away what its slot '{}' still "
                           "needed: it cannot go on and must be copied anew",
                           replica.name, slot->name));
  }
  if (slot->wal_status != "unreserved") return;
  Add(Severity::kDegraded, "slot_at_risk", replica.name,
      fmt::format("replica {}: the primary may throw away what its slot '{}' needs at the next "
                  "checkpoint (max_slot_wal_keep_size): it is too far behind",
                  replica.name, slot->name));
}

}  // namespace headgate::database
