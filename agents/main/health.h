// Whether the agent that runs on this box is well, asked from beside it. One thread; takes two
// seconds at most.
#pragma once

#include <ostream>

#include "agents/main/config.h"

namespace headgate::agent {

// Says how it is. kExitDone: it lives and, unless `only_life`, is ready; kExitRefused: it is not
// running, stopped, hangs or is not ready; kExitCouldNotTell.
int PrintHealth(const Config& config, bool only_life, std::ostream& out);

}  // namespace headgate::agent
