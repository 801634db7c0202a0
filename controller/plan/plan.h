// The plan's YAML file: the way from bytes to a value that the engine takes. Pure functions,
// callable from any thread; they read no file and never throw.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "controller/engine/plan.h"
#include "controller/plan/expected.h"
#include "controller/plan/problems.h"
#include "controller/plan/to_engine.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {

// Syntax and types only. INVALID_ARGUMENT names everything that is wrong, one line
// `file:line:column: what, value, bound, remedy` each. `positions`, if given, is filled.
absl::StatusOr<v1::Plan> ParsePlanYaml(std::string_view bytes, std::string_view file_name,
                                       Positions* positions = nullptr);

// The rules too, with errors in the same form. `read`: what the files come to that it expects of
// its databases; without it such a plan is refused.
absl::StatusOr<engine::Plan> LoadPlan(std::string_view bytes, std::string_view file_name,
                                      Positions* positions = nullptr,
                                      const ReadExpected& read = {});

}  // namespace headgate::plan
