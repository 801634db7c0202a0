// What each gate must have for itself alone, whoever else is in the same load balancer. Pure: any
// thread.
#pragma once

#include <string>
#include <vector>

#include "agents/main/config.h"

namespace headgate::agent {

// For each thing that two gates would share: which gates, what, why not, and what to write.
std::vector<std::string> SharedThings(const std::vector<GateConfig>& gates);

}  // namespace headgate::agent
