// The HAProxy configuration that makes a gate, for people to paste, and the map file that it reads.
// Pure: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/new_cookies.h"
#include "agents/core/snippet_words.h"
#include "agents/core/user_key.h"
#include "agents/core/wait_page.h"

namespace headgate::haproxy {

struct SnippetOptions {
  std::string gate;
  std::string app_backend;
  agent::UserKey key;
  std::vector<std::uint32_t> slow_ms;
  std::string map;
  std::string socket;
  // "path=/healthz" or "cidr=203.0.113.0/24"; never the whole internet.
  std::vector<std::string> bypass;
  std::string probe_path = agent::kProbePath;
  agent::WaitPages pages{};
  // Which of HAProxy's tracking slots (sc0 to sc2) the gate may use.
  int track_slot = 2;
  // To one address (of IPv6: one /64); 0: without a limit.
  unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
};

// INVALID_ARGUMENT says which option, its value, and what to write.
absl::StatusOr<std::string> Snippet(const SnippetOptions& options);

}  // namespace headgate::haproxy
