// Whether a load balancer may read the share file. One that asks by ext_authz decides by it while
// the agent does not answer (`headgate-agent snippet envoy-ext-authz`). Any thread; blocks on the
// disk.
#pragma once

#include <string>

namespace headgate::endpoint {

// Everybody may from now on, where the load balancer could not: it holds no secret. `group`: of the
// load balancer, empty if there is none.
void LetItBeRead(const std::string& path, const std::string& group);

// In words, what keeps the load balancer from reading it; empty if nothing does, or if it is
// missing.
std::string WhyUnreadable(const std::string& path, const std::string& group);

}  // namespace headgate::endpoint
