// The `plan` line of a scenario.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/engine/plan.h"

namespace headgate::engine {

// steps=1%,100% bake=10s check=NAME:KIND:BOUND[:option…] agents=edge-1,edge-2 …
absl::StatusOr<Plan> PlanOfWords(const std::vector<std::string>& words);

}  // namespace headgate::engine
