// What a rolling comparison keeps over a restart: text that people can read. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/database/inventory.h"

namespace headgate::database {

struct RollingState {
  // Of the newest whole round, if there was one.
  std::optional<TimePoint> whole_at{};
  Duration whole_took{0};
  // What rounds found and no later one has settled.
  std::vector<Finding> earlier{};
  // DataComparison::Save of the round under way, or of one that has not begun.
  std::string round;
};

std::string WriteRollingState(const RollingState& state);
// INVALID_ARGUMENT: it is none, or damaged.
absl::StatusOr<RollingState> ReadRollingState(const std::string& text);

}  // namespace headgate::database
