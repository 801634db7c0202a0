// The scenarios that a caller names, or the typical ones. Reads files; one thread.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::cli {

// With --rps carried out. What a scenario does not say is as in `unsaid`. NOT_FOUND for a name or
// file that is not there, INVALID_ARGUMENT with `file:line:column: …` for what is wrong in one.
absl::StatusOr<std::vector<rehearsal::Scenario>> LoadScenarios(const SimulateFlags& flags,
                                                               const rehearsal::Scenario& unsaid);

}  // namespace headgate::cli
