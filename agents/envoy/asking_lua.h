// The Lua program by which an Envoy that asks the agent (ext_authz) fails static: it decides where
// the agent could not be asked, and nowhere else. Pure: any thread.
#pragma once

#include <string>
#include <vector>

#include "agents/core/user_key.h"
#include "agents/core/wait_page.h"

namespace headgate::envoy {

// What Envoy's ext_authz marks such a request with.
inline constexpr char kUnaskedHeader[] = "x-envoy-auth-failure-mode-allowed";

struct AskingLuaOptions {
  std::string gate;
  // The agent's share file.
  std::string share;
  agent::UserKey key;
  // Always let through.
  std::vector<std::string> paths;
  const agent::WaitPages& pages;
};
std::string AskingLua(const AskingLuaOptions& options);

}  // namespace headgate::envoy
