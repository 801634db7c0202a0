// Who on a primary feeds whom. Pure; any thread.
#pragma once

#include <string>

#include "controller/database/observation.h"

namespace headgate::database {

// Null: there is none.
const Slot* FindSlot(const PrimaryObservation& primary, const std::string& name);
// By which the primary knows a replica: see docs/DATABASE.md.
const Walsender* FindFeeder(const PrimaryObservation& primary, const std::string& name);
// The slot that a physical replica is fed through, or one that has its name.
const Slot* SlotOf(const PrimaryObservation& primary, const std::string& replica);

}  // namespace headgate::database
