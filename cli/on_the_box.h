// What to type on the load balancers when no controller answers. Pure; any thread.
#pragma once

#include "cli/command.h"
#include "cli/text.h"

namespace headgate::cli {

// Empty for a verb that needs a controller.
Lines OnTheBox(const Command& command);

// "2.5%": as one types it.
std::string AsArgument(Share share);

}  // namespace headgate::cli
