// What the operator's words on the box come to, when one is said after another. Pure: any thread.
#pragma once

#include <optional>
#include <string>

#include "agents/core/order.h"

namespace headgate::agent {

// What of the word stands at that time: itself, the ceiling that follows it, or nothing.
std::optional<LocalOverride> InForceAt(const LocalOverride& word, TimePoint now);

// Whatever stands so far and "at most `ceiling`" both hold: `lower` never raises. A word to admit
// exactly more than the ceiling is replaced by it; one to admit exactly less stands until its time,
// and the ceiling follows it.
LocalOverride WithCeiling(const std::optional<LocalOverride>& in_force, Share ceiling);

// "exactly 5 % until 2024-08-14 18:30:00 UTC, then at most 20 % until released".
std::string ToString(const LocalOverride& local_override);

}  // namespace headgate::agent
