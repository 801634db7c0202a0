// What is wrong with a gate behind the decision endpoint, tried on the running agent. Any thread;
// takes a few seconds.
#pragma once

#include <string>
#include <vector>

#include "agents/endpoint/endpoint.h"

namespace headgate::endpoint {

// One finding each, in plain words with what to do; empty: all is well.
std::vector<std::string> Check(const Settings& settings);

}  // namespace headgate::endpoint
