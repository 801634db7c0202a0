// A plan as it was given, with every default filled in: for those who ask what it means. Pure.
#pragma once

#include "absl/status/statusor.h"
#include "controller/engine/plan.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {

// What spec().source says, and where it says nothing what spec() has for it. Left empty: what has
// no default (`first: auto`, names, lists), and `prometheus`, which the controller knows. ToEngine
// makes the same plan of it. DATA_LOSS where spec().source is no plan.
absl::StatusOr<v1::Plan> WithDefaults(const engine::Plan& plan);

}  // namespace headgate::plan
