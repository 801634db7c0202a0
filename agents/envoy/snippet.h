// The Envoy configuration that makes a gate: a whole bootstrap, whose parts may be pasted into
// another. Pure: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/snippet_words.h"
#include "agents/core/user_key.h"
#include "agents/core/wait_page.h"

namespace headgate::envoy {

struct SnippetOptions {
  std::string gate;
  // The clusters that serve admitted users; the first one gets all of the bypassed requests.
  std::vector<std::string> app_clusters;
  agent::UserKey key;
  std::vector<std::uint32_t> slow_ms;
  std::string share;
  std::string admin = "/run/envoy/admin.sock";
  // "path=/healthz"; networks are refused: Envoy's routes do not see addresses.
  std::vector<std::string> bypass;
  std::string probe_path = agent::kProbePath;
  agent::WaitPages pages{};
  // "HOST:PORT" of the example's own listener and application.
  std::string listen = "0.0.0.0:80";
  std::string app_address = "127.0.0.1:8080";
};

// INVALID_ARGUMENT says which option, its value, and what to write.
absl::StatusOr<std::string> Snippet(const SnippetOptions& options);

}  // namespace headgate::envoy
