// Who calls, and what they may do. Any thread.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/statusor.h"
#include "common/tls/identity.h"

namespace headgate::api {

// How a listener knows its callers.
struct CallerRules {
  std::string trust_domain;
  // Only on loopback, only when asked for by flag: operators are believed everything, agents their
  // name in the metadata kPlaintextAgentKey.
  bool is_plaintext = false;
};

inline constexpr char kPlaintextAgentKey[] = "headgate-agent";

// UNAUTHENTICATED or PERMISSION_DENIED, in words for people.
absl::StatusOr<tls::Identity> CallerOf(const grpc::CallbackServerContext& context,
                                       const CallerRules& rules);

// viewer < operator < approver; an agent and a controller are none of them.
absl::Status CheckRole(const tls::Identity& caller, tls::Role needed);
// Who calls, if they may do what `needed` may: what every operators' verb asks first.
absl::StatusOr<tls::Identity> CallerWithRole(const grpc::CallbackServerContext& context,
                                             const CallerRules& rules, tls::Role needed);
absl::Status CheckAgent(const tls::Identity& caller);

// "operator alice".
std::string ActorOf(const tls::Identity& caller);

grpc::Status ToGrpc(const absl::Status& status);

}  // namespace headgate::api
