// Durations as people write them: `500ms`, `30s`, `2m`, `1h30m`.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate {

// INVALID_ARGUMENT says what was wrong and what to write. Negative durations are refused.
absl::StatusOr<Duration> ParseDuration(std::string_view text);

// "500ms", "0s", "90s" as "1m30s", "2h".
std::string FormatDuration(Duration duration);

}  // namespace headgate
