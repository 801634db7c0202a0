// Who somebody is: the one SPIFFE URI of their certificate. Values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate::tls {

// Viewers look; operators start, hold and lower; approvers also approve, open and adopt. An agent
// speaks for the load balancer of its name, a controller for the controller.
enum class Role { kViewer, kOperator, kApprover, kAgent, kController };

inline constexpr std::size_t kNameBytesMax = 63;
inline constexpr std::size_t kTrustDomainBytesMax = 255;

struct Identity {
  Role role = Role::kViewer;
  // 1 to 63 letters, digits, '.', '_' and '-'.
  std::string name{};
  // e.g. "example.org".
  std::string trust_domain{};

  friend bool operator==(const Identity&, const Identity&) = default;
};

// "agent".
std::string_view RoleName(Role role);
// INVALID_ARGUMENT names the roles there are.
absl::StatusOr<Role> ParseRole(std::string_view text);

// 1 to kTrustDomainBytesMax of a-z, 0-9, '.', '_' and '-'.
bool IsTrustDomain(std::string_view text);
// Reads exactly spiffe://<trust-domain>/headgate/<role>/<name>; INVALID_ARGUMENT says what is
// wrong.
absl::StatusOr<Identity> ParseSpiffeUri(std::string_view uri);
// The inverse, with the same rules.
absl::StatusOr<std::string> SpiffeUri(const Identity& identity);

}  // namespace headgate::tls
