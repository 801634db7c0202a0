// Makes X.509 certificates (EC P-256, SHA-256) from a specification. Include in .cc files only.
// Any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/tls/x509.h"

namespace headgate::tls {

struct CertificateSpec {
  std::string common_name{};
  std::vector<std::string> uris{};
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
  bool is_authority = false;
  // A leaf for clients only cannot serve.
  bool may_serve = false;
  TimePoint not_before{};
  TimePoint not_after{};
};

// Who signs; both borrowed.
struct Issuer {
  X509& certificate;
  EVP_PKEY& key;
};

absl::StatusOr<KeyPtr> MakeKey();

// Self-signed if `issuer` is null. INVALID_ARGUMENT if a DNS name or an address is none.
absl::StatusOr<CertificatePtr> MakeCertificate(const CertificateSpec& spec, EVP_PKEY& key,
                                               const Issuer* issuer);

}  // namespace headgate::tls
