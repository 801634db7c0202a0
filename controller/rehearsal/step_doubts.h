// Doubts of plans with a list of steps: traffic with which the first step shows too little before a
// person is called, or in which twice the limit would not be seen. What is told to write ends the
// doubt, whichever way is taken. Internal to doubts.h.
#pragma once

#include <vector>

#include "controller/rehearsal/doubts.h"

namespace headgate::rehearsal {

std::vector<Doubt> FindDoubtsOfSteps(const engine::PlanSpec& plan, double rps);
// With so much traffic there are none.
bool StepsAreSeen(const engine::PlanSpec& plan, double rps);

}  // namespace headgate::rehearsal
