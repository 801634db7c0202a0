#include "common/tls/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace headgate::tls {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::string_view kForm = "spiffe://<trust-domain>/headgate/<role>/<name>";
constexpr std::array kRoles{Role::kViewer, Role::kOperator, Role::kApprover, Role::kAgent,
                            Role::kController};
constexpr std::size_t kShownBytesMax = 100;

bool IsDigitOrLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsDigitOrLower(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
         });
}

// What is before the next '/', which is taken off `rest`.
std::string_view TakeSegment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  return segment;
}

absl::Status Refuse(std::string_view uri, std::string_view why) {
  return absl::InvalidArgumentError(fmt::format("{:?} names nobody in Headgate: {}; write {}",
                                                uri.substr(0, kShownBytesMax), why, kForm));
}

}  // namespace

bool IsTrustDomain(std::string_view text) {
  return !text.empty() && text.size() <= kTrustDomainBytesMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsDigitOrLower(c) || c == '.' || c == '_' || c == '-'; });
}

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kOperator:
      return "operator";
    case Role::kApprover:
      return "approver";
    case Role::kAgent:
      return "agent";
    case Role::kController:
      return "controller";
  }
  return "unknown";
}

absl::StatusOr<Role> ParseRole(std::string_view text) {
  for (const Role role : kRoles) {
    if (RoleName(role) == text) return role;
  }
  return absl::InvalidArgumentError(
      fmt::format("there is no role {:?}; use viewer, operator, approver, agent or controller",
                  text.substr(0, kShownBytesMax)));
}

absl::StatusOr<Identity> ParseSpiffeUri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return Refuse(uri, "it does not begin with spiffe://");
  std::string_view rest = uri.substr(kScheme.size());
  const std::string_view trust_domain = TakeSegment(rest);
  if (!IsTrustDomain(trust_domain)) {
    return Refuse(uri, "the trust domain is not made of a-z, 0-9, '.', '_' and '-'");
  }
  if (TakeSegment(rest) != "headgate") return Refuse(uri, "its path does not begin with /headgate");
  const auto role = ParseRole(TakeSegment(rest));
  if (!role.ok()) {
    return Refuse(uri, "its role is none of viewer, operator, approver, agent, controller");
  }
  // What is left must be one segment: a '/' is no letter of a name.
  if (!IsName(rest)) {
    return Refuse(uri, fmt::format("its name is not made of 1 to {} letters, digits, '.', '_', '-'",
                                   kNameBytesMax));
  }
  return Identity{
      .role = *role, .name = std::string(rest), .trust_domain = std::string(trust_domain)};
}

absl::StatusOr<std::string> SpiffeUri(const Identity& identity) {
  std::string uri = fmt::format("{}{}/headgate/{}/{}", kScheme, identity.trust_domain,
                                RoleName(identity.role), identity.name);
  if (const auto parsed = ParseSpiffeUri(uri); !parsed.ok()) return parsed.status();
  return uri;
}

}  // namespace headgate::tls
