// The Envoy configuration that asks the agent about each request (gRPC ext_authz), and decides by
// the share file where the agent does not answer: a whole bootstrap, whose parts may be pasted into
// another. Pure: any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/user_key.h"
#include "agents/core/wait_page.h"

namespace headgate::envoy {

struct AskingOptions {
  std::string gate;
  // As in agent.yaml: "127.0.0.1:9102" or "unix:/run/headgate-agent/shop-grpc.sock".
  std::string ext_authz;
  std::string share;
  agent::UserKey key;
  // As in agent.yaml. Of networks the agent alone knows: without it they are not let through.
  std::vector<std::string> bypass;
  agent::WaitPages pages{};
  // "HOST:PORT" of the example's own listener and application.
  std::string listen = "0.0.0.0:80";
  std::string app_address = "127.0.0.1:8080";
};

// INVALID_ARGUMENT says which option, its value, and what to write.
absl::StatusOr<std::string> AskingSnippet(const AskingOptions& options);

}  // namespace headgate::envoy
