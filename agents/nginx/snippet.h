// The nginx configuration and the Lua that make a gate, for people to paste. Pure: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/new_cookies.h"
#include "agents/core/snippet_words.h"
#include "agents/core/user_key.h"
#include "agents/core/wait_page.h"

namespace headgate::nginx {

struct SnippetOptions {
  std::string gate;
  agent::UserKey key;
  std::vector<std::uint32_t> slow_ms;
  // The folder of the gate's Lua and token. nginx and the agent read both.
  std::string folder;
  std::string share;
  // As for HAProxy's snippet.
  std::vector<std::string> bypass;
  std::string probe_path = agent::kProbePath;
  agent::WaitPages pages{};
  // To one address (of IPv6: one /64); 0: without a limit.
  unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
};

// Where the gate's files lie.
std::string LuaFileOf(const SnippetOptions& options);
std::string TokenFileOf(const SnippetOptions& options);

// What is to be pasted; INVALID_ARGUMENT says which option, its value, and what to write.
absl::StatusOr<std::string> Snippet(const SnippetOptions& options);
// The content of LuaFileOf.
absl::StatusOr<std::string> Lua(const SnippetOptions& options);

}  // namespace headgate::nginx
