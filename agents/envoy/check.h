// What is wrong with a gate in Envoy, tried on the running one. Any thread; takes a few seconds.
#pragma once

#include <string>
#include <vector>

#include "agents/envoy/envoy.h"

namespace headgate::envoy {

// One finding each, in plain words with what to do; empty: all is well.
std::vector<std::string> Check(const Settings& settings);

}  // namespace headgate::envoy
