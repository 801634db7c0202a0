// What is wrong with a gate in HAProxy, tried on the running one. Any thread; takes a few seconds.
#pragma once

#include <string>
#include <vector>

#include "agents/haproxy/haproxy.h"

namespace headgate::haproxy {

// One finding each, in plain words with what to do; empty: all is well.
std::vector<std::string> Check(const Settings& settings);

}  // namespace headgate::haproxy
