// The short Lua programs by which Envoy itself answers the refused and the probes: nothing of them
// runs for an admitted request. Pure: any thread.
#pragma once

#include <string>

#include "agents/core/user_key.h"
#include "agents/core/wait_page.h"

namespace headgate::envoy {

struct LuaOptions {
  std::string gate;
  std::string share;
  agent::UserKey key;
  const agent::WaitPages& pages;
};
// The waiting page, or a problem for programs.
std::string WaitLua(const LuaOptions& options);
// Defines bucket_of(key): what every program of Envoy's hashes with.
std::string BucketLua();
// The key's name as a Lua string; of a header in small letters, as Envoy has it.
std::string LuaNameOf(const agent::UserKey& key);
// Answers with `status` and one word.
std::string WordLua(const std::string& gate, int status, const std::string& word);

}  // namespace headgate::envoy
