// A plan as people read it before an incident: whom it needs, what it looks at, how it goes up and
// what it does when something fails. Pure; any thread.
#pragma once

#include "cli/text.h"
#include "controller/engine/plan.h"

namespace headgate::cli {

Lines DescribePlan(const engine::PlanSpec& plan);

}  // namespace headgate::cli
