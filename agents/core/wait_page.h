// What people and programs read that are not admitted yet. Without percent signs and single quotes,
// so that it may stand in a load balancer's configuration. Pure: any thread.
#pragma once

#include <string>

namespace headgate::agent {

// `retry`: the seconds of Retry-After, as the load balancer puts them in.
std::string WaitPage(const std::string& retry);
// application/problem+json (RFC 9457).
std::string WaitProblem(const std::string& retry);

}  // namespace headgate::agent
