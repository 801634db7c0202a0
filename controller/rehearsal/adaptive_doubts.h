// Doubts of plans with adaptive steps: traffic in which a share is never proven before a person is
// called. Asked of the engine's own evidence, so that they cannot differ. Internal to doubts.h.
#pragma once

#include <vector>

#include "controller/rehearsal/doubts.h"

namespace headgate::rehearsal {

std::vector<Doubt> FindDoubtsOfAdaptiveSteps(const engine::PlanSpec& plan, double rps);
// As RpsNeeded, to a twentieth; kForever where no traffic is enough within the plan's bake.
double RpsNeededByAdaptiveSteps(const engine::PlanSpec& plan);

}  // namespace headgate::rehearsal
