// Requests that come again: a repeat does nothing twice, and is answered as the first one was. An
// id belongs to one order. Lowering needs nothing: such an order is a repeat only while what it
// asked for still holds, whatever its id. Pure. Internal.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "controller/engine/event.h"
#include "controller/engine/state.h"
#include "controller/engine/turn.h"

namespace headgate::engine {

// What a gate's record remembers of a request that is carried out: the order and its id.
std::string RequestMark(const Command& command);
bool WasCarriedOut(State& state, const Gate& gate, const Command& command);
// FAILED_PRECONDITION: the id is that of another order. Never for an order that lowers.
absl::Status CheckRequestId(const Gate& gate, const Command& command);
// As the first one was answered, or would have been had its caller not gone.
void AnswerRepeat(Turn& turn, Gate& gate, const Command& command);

}  // namespace headgate::engine
