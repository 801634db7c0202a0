// Doubts of plans with adaptive steps: traffic in which a share is never proven before a person is
// called. Asked of the engine's own evidence, so that they cannot differ. Internal to doubts.h.
#pragma once

#include <vector>

#include "controller/rehearsal/doubts.h"

namespace headgate::rehearsal {

std::vector<Doubt> FindDoubtsOfAdaptiveSteps(const engine::PlanSpec& plan, double rps);
// With so much traffic every check on counts is proven in time.
bool AdaptiveStepsAreProven(const engine::PlanSpec& plan, double rps);

}  // namespace headgate::rehearsal
