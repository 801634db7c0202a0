// Whether TLS takes a pair at all: OpenSSL refuses keys that are too short, digests that are too
// weak and curves that nobody speaks only when it is used, and a peer a certificate that is not for
// servers. One handshake in memory, with itself, finds out before a listener is built on it.
// Include in .cc files only. Any thread; a millisecond or two.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/tls/x509.h"

namespace headgate::tls {

struct Pair {
  // The certificate, then its intermediates.
  const std::vector<CertificatePtr>& chain;
  EVP_PKEY& key;
  const std::vector<CertificatePtr>& authorities;
  // Else it is a client's.
  bool is_server = false;
};

// FAILED_PRECONDITION with OpenSSL's reason. `now`: of the wall clock.
absl::Status ProveHandshake(const Pair& pair, TimePoint now);

}  // namespace headgate::tls
