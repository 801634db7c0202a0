// The calls of the verbs that change something: from what the caller typed to the request, and to
// the controller. One thread.
#pragma once

#include <ostream>
#include <string>

#include "cli/command.h"
#include "cli/controller.h"

namespace headgate::cli {

// How far agents must have come before the controller answers.
v1::WaitFor ToWaitFor(const Command& command);

// `yaml`: of the plan that `start` sends. `err` hears of preflight while `start` waits for it.
CallResult CallOrder(const Command& command, const std::string& yaml, Controller& controller,
                     std::ostream& err, v1::Outcome& outcome);

}  // namespace headgate::cli
