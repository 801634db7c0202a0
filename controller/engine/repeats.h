// Requests that come again: a repeat does nothing twice, and is answered as the first one was.
// Pure. Internal.
#pragma once

#include "controller/engine/event.h"
#include "controller/engine/state.h"
#include "controller/engine/turn.h"

namespace headgate::engine {

bool WasCarriedOut(const Gate& gate, const Command& command);
// As the first one was answered, or would have been had its caller not gone.
void AnswerRepeat(Turn& turn, Gate& gate, const Command& command);

}  // namespace headgate::engine
