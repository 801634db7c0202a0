// The agent itself, from start to SIGTERM. Called once, on the main thread.
#pragma once

#include "agents/main/config.h"

namespace headgate::agent {

// An exit code. The load balancer is left as it is at the end.
int Run(const Config& config);

}  // namespace headgate::agent
