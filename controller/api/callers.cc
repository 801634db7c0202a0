#include "controller/api/callers.h"

#include <fmt/format.h>

#include "common/tls/credentials.h"

namespace headgate::api {
namespace {

// 0: no role of operators.
int RankOf(tls::Role role) {
  switch (role) {
    case tls::Role::kViewer:
      return 1;
    case tls::Role::kOperator:
      return 2;
    case tls::Role::kApprover:
      return 3;
    case tls::Role::kAgent:
    case tls::Role::kController:
      return 0;
  }
  return 0;
}

tls::Identity PlaintextCaller(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto agent = metadata.find(kPlaintextAgentKey);
  if (agent == metadata.end()) {
    return {.role = tls::Role::kApprover, .name = "plaintext", .trust_domain = "loopback"};
  }
  return {.role = tls::Role::kAgent,
          .name = std::string(agent->second.data(), agent->second.size()),
          .trust_domain = "loopback"};
}

}  // namespace

absl::StatusOr<tls::Identity> CallerOf(const grpc::CallbackServerContext& context,
                                       const CallerRules& rules) {
  if (rules.is_plaintext) return PlaintextCaller(context);
  return tls::PeerIdentity(*context.auth_context(), rules.trust_domain);
}

absl::Status CheckRole(const tls::Identity& caller, tls::Role needed) {
  if (RankOf(caller.role) >= RankOf(needed)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("{} {} may not do this: it needs the role {} (or a higher one), from the "
                  "certificate's SPIFFE URI",
                  tls::RoleName(caller.role), caller.name, tls::RoleName(needed)));
}

absl::StatusOr<tls::Identity> CallerWithRole(const grpc::CallbackServerContext& context,
                                             const CallerRules& rules, tls::Role needed) {
  absl::StatusOr<tls::Identity> caller = CallerOf(context, rules);
  if (!caller.ok()) return caller;
  if (absl::Status status = CheckRole(*caller, needed); !status.ok()) return status;
  return caller;
}

absl::Status CheckAgent(const tls::Identity& caller) {
  if (caller.role == tls::Role::kAgent && !caller.name.empty()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("{} {} is no agent: sessions are for certificates named "
                  "spiffe://DOMAIN/headgate/agent/NAME",
                  tls::RoleName(caller.role), caller.name));
}

std::string ActorOf(const tls::Identity& caller) {
  return fmt::format("{} {}", tls::RoleName(caller.role), caller.name);
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace headgate::api
