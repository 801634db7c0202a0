// When a person must look: what no evidence and no time mend by themselves. Pure.
#pragma once

#include "controller/engine/turn.h"

namespace headgate::engine {

// It holds for a reason that only a person ends, or was told to last too long.
bool NeedsAPerson(const Gate& gate);

// Tells once of a step that has come to no end within the plan's `bake.to`, because its evidence
// stays unclear, and of an approval that nobody has given in that time.
void TellIfOverdue(Turn& turn, Gate& gate);

}  // namespace headgate::engine
