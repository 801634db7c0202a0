// Whether the agent that runs on this box is well, asked from beside it. One thread; takes two
// seconds at most.
#pragma once

#include <ostream>
#include <string>

#include "agents/main/config.h"

namespace headgate::agent {

// Says how it is. kExitDone: it lives and, unless `only_life`, is ready; kExitRefused: it is not
// running, stopped, hangs or is not ready; kExitCouldNotTell.
int PrintHealth(const Config& config, bool only_life, std::ostream& out);

// What the agent that runs here says against itself; empty if that is nothing, or nobody to ask.
std::string ComplaintOfAgent(const Config& config);

}  // namespace headgate::agent
