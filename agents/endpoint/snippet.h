// The configuration that makes a load balancer ask the endpoint, for people to paste. Pure: any
// thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/snippet_words.h"
#include "agents/core/user_key.h"
#include "agents/endpoint/listening.h"

namespace headgate::endpoint {

// What becomes of users while the agent does not answer.
enum class OnAgentFailure {
  // Who was admitted when last seen stays; nobody new.
  kStatic,
  kClosed,
  // Everybody: in the hour of an overload, too.
  kOpen,
};
absl::StatusOr<OnAgentFailure> ParseOnAgentFailure(const std::string& word);

struct SnippetOptions {
  std::string gate;
  agent::UserKey key;
  // As in agent.yaml.
  Listen listen;
  // Of nginx, for the hour without an agent: the same as agent.yaml's.
  std::vector<std::string> bypass;
  OnAgentFailure on_agent_failure = OnAgentFailure::kStatic;
  // Of nginx's kept answers: `remembered` in agent.yaml.
  std::string remembered;
  // Of nginx's access log to the agent; empty: none.
  std::string access_log;
};

absl::Status CheckSnippet(const SnippetOptions& options);

// What is to be pasted; INVALID_ARGUMENT says which option, its value, and what to write.
absl::StatusOr<std::string> NginxSnippet(const SnippetOptions& options);
absl::StatusOr<std::string> CaddySnippet(const SnippetOptions& options);

}  // namespace headgate::endpoint
