// The engine: every decision of Headgate, pure. No clock, no I/O, no log; it hands its owner a list
// of actions. It promises P2 to P4, P7 and P9 of the design; tests/controller/engine holds it to
// them.
//
// The order of effects: a raise asks to Record, and only the Recorded event publishes it, if it is
// still the newest decision and the evidence still stands. A lowering publishes and records in the
// same turn, Publish first. The owner must carry out actions in their order and must not wait for
// one before it starts the next.
#pragma once

#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "controller/engine/event.h"
#include "controller/engine/state.h"

namespace headgate::engine {

struct Outcome {
  State state;
  std::vector<Action> actions;
};

// `now` must not go back. An event that does not fit (an unknown gate, an old token) changes
// nothing; a command that does not fit is answered with an error.
Outcome Apply(State state, const Event& event, TimePoint now);

// When Apply(Tick) must be called at the latest, if anything can change by time alone.
std::optional<TimePoint> WakeAt(const State& state);

// Limits.
inline constexpr std::size_t kGatesMax = 64;
inline constexpr std::size_t kReasonBytesMax = 1024;
inline constexpr std::size_t kRequestIdBytesMax = 64;
// The pace at which time alone is looked at while a restoration runs.
inline constexpr Duration kTick{250};
// A raise that the journal took longer than this to record is dropped: its evidence is old.
inline constexpr Duration kRaiseStaleAfter{5'000};
inline constexpr Duration kRecordAgainAfter{1'000};
// After a lowering ratios are not judged for at least, and where it is not observed at most, this.
inline constexpr Duration kSettleMin{2'000};
inline constexpr Duration kSettleMax{5'000};
// Counts that arrive sooner after the last look only add to the evidence.
inline constexpr Duration kLookAgainAfter{50};
// A preflight without when_ready is refused after ready_for and this much; one in which a check has
// FAILED waits for silent sources no longer than this.
inline constexpr Duration kPreflightPatience{10'000};

}  // namespace headgate::engine
