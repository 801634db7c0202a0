// A private certificate authority for those without a PKI: `headgate certs init` and `issue`.
// Any thread; blocks on the disk. Promises: key files are 0600, each file appears whole or not at
// all, and nothing is overwritten unless told.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/tls/identity.h"

namespace headgate::tls {

inline constexpr Duration kDay{24LL * 3'600 * 1'000};
inline constexpr Duration kLifetimeMin{60'000};
inline constexpr Duration kAuthorityLifetime = 365 * kDay;
inline constexpr Duration kLeafLifetimeDefault = 30 * kDay;
inline constexpr Duration kLeafLifetimeMax = kAuthorityLifetime;

struct AuthorityRequest {
  // Made if missing (0700). Holds ca.crt and ca.key afterwards.
  std::string directory{};
  std::string trust_domain{};
  Duration lifetime = kAuthorityLifetime;
  bool overwrite = false;
};

struct IssueRequest {
  // Where ca.crt and ca.key lie.
  std::string authority_directory{};
  // Where <role>-<name>.crt and .key go; made if missing (0700).
  std::string directory{};
  Role role = Role::kViewer;
  std::string name{};
  // What callers may dial it by, for those who check it, as browsers do. Our own programs check
  // the SPIFFE name instead, and so reach a controller by any address.
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
  Duration lifetime = kLeafLifetimeDefault;
  bool overwrite = false;
};

struct Issued {
  std::string certificate_path{};
  std::string key_path{};
  // Empty for an authority.
  std::string spiffe_uri{};
  // Never later than the authority's own end, even if more was asked for.
  TimePoint not_after{};
};

// ALREADY_EXISTS: there is one, and overwriting was not asked for. INVALID_ARGUMENT: bad names or
// times. PERMISSION_DENIED: the directory cannot be written. Errors name the file and the remedy.
absl::StatusOr<Issued> CreateAuthority(const AuthorityRequest& request, TimePoint now);
absl::StatusOr<Issued> IssueCertificate(const IssueRequest& request, TimePoint now);

}  // namespace headgate::tls
