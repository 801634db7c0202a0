// The load balancer that a gate's settings name, behind the interface that all of them share. Any
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/core/enforcer.h"
#include "agents/main/config.h"

namespace headgate::agent {

// For the commands on the box. What the running agent itself is for a gate of `endpoint`, run.cc
// makes.
std::unique_ptr<Enforcer> MakeEnforcer(const GateConfig& gate);
// "HAProxy".
std::string NameOfLoadBalancer(const GateConfig& gate);
// What it reads its share from at its start.
std::string ShareFileOf(const GateConfig& gate);
// "a reload of HAProxy": when it reads that.
std::string NextStartOf(const GateConfig& gate);
// When less in it is enforced, of one that cannot be told.
std::string HowTheFileCounts(const GateConfig& gate);
// Each finding says what is wrong and what to do. Empty: all is well.
std::vector<std::string> CheckGate(const GateConfig& gate);
// What gates that stand in one load balancer do to each other.
std::vector<std::string> CheckBeside(const std::vector<GateConfig>& gates);

}  // namespace headgate::agent
