// The rules by which HAProxy answers who is refused: which language, what is known of the person's
// return, the page or the problem. They stand in the wait backend, so that they cost nobody else
// anything. Pure: any thread.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "agents/core/wait_page.h"

namespace headgate::haproxy {

struct WaitRulesOptions {
  std::string gate;
  std::string map;
  const agent::WaitPages& pages;
};

// INVALID_ARGUMENT: an operator's page that HAProxy would not start with, and what to write.
absl::Status CheckPages(const WaitRulesOptions& options);

// Lines of a backend.
std::string WaitRules(const WaitRulesOptions& options);

// The operator's own pages lie in files beside the map, in HAProxy's log format: path -> content.
// Empty for ours, which stand in the rules.
std::map<std::string, std::string> PageFiles(const WaitRulesOptions& options);

}  // namespace headgate::haproxy
