// Says in plain words what is wrong between the agent, its folder, its certificate and the load
// balancer's configuration. One thread; changes nothing but a file that it makes and removes again.
#pragma once

#include <string>
#include <vector>

#include "agents/main/config.h"

namespace headgate::agent {

// Each finding says what is wrong and what to do, for every gate too. Empty: all is well.
std::vector<std::string> CheckAgent(const Config& config, TimePoint now);

// Whether a session could be opened with the controllers that the configuration names; opens none.
struct ControllersFound {
  // One for each that cannot be reached: findings, or, if at least one answers, warnings.
  std::vector<std::string> findings;
  std::vector<std::string> warnings;
  // One for each that answers.
  std::vector<std::string> answers;
};
ControllersFound CheckControllers(const Config& config, TimePoint now);

}  // namespace headgate::agent
