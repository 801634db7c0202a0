// When a local override ends, as people write it. Pure: any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate::agent {

// At most so far ahead: an override is for an incident, not a configuration.
inline constexpr Duration kOverrideMax = std::chrono::hours(24 * 7);

// A duration from now ("30m") or a time ("2024-08-14T18:30:00Z", "…+02:00"), in the future.
// INVALID_ARGUMENT otherwise.
absl::StatusOr<TimePoint> ParseUntil(const std::string& text, TimePoint now);

}  // namespace headgate::agent
