// What every order must fulfil before it is carried out, whatever it is. Pure. Internal, but for
// Lowers and NoSuchGate.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/base/share.h"
#include "controller/engine/event.h"
#include "controller/engine/state.h"

namespace headgate::engine {

// Orders that lower or stop, and so need nothing.
bool Lowers(const Order& order);

// NOT_FOUND: which gates there are; where there is none, how one is created at `share`.
absl::Status NoSuchGate(const State& state, const std::string& name, Share share);
// An order that lowers waits for no rule about its texts: what is too long of them is cut.
Command WithTextsThatFit(Command command);
// That there is a gate to carry it out on, and that nothing of it is too large.
absl::Status CheckAdmissible(const State& state, const Command& command);
// That the journal works where the order is of no use without it (UNAVAILABLE), and that the gate
// is as the operator expected (ABORTED). An order that lowers is never stopped here.
absl::Status CheckBefore(const State& state, const Gate& gate, const Command& command);

// UNAVAILABLE, which a caller repeats: what the gate is to become is not in the journal yet.
absl::Status StillRecording(const std::string& gate);
// FAILED_PRECONDITION: `verb` is for a running restoration; with what there is instead.
absl::Status NoRestoration(const Gate& gate, std::string_view verb);

}  // namespace headgate::engine
