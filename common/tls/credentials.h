// gRPC credentials from proven material, and who is at the other end of a call. Any thread.
// Both sides present a certificate. A client accepts only a server whose certificate names a
// controller of its own trust domain, and does not compare host names: in an outage a controller is
// reached by whatever address is left, and no agent's certificate can pose as one.
#pragma once

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/tls/files.h"
#include "common/tls/identity.h"

namespace headgate::tls {

// A client without a certificate of our CA does not get through the handshake.
std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const Material& material);
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const Material& material);

// For the Unix socket of root (see local_socket.h).
std::shared_ptr<grpc::ServerCredentials> LocalServerCredentials();
std::shared_ptr<grpc::ChannelCredentials> LocalChannelCredentials();

// The trust domain and the name that PeerIdentity gives a caller on the local socket, who may do
// what an approver may: the socket lets nobody but its owner in.
inline constexpr std::string_view kLocalTrustDomain = "local";
inline constexpr std::string_view kLocalName = "root";

// Who calls. UNAUTHENTICATED: no certificate, or not exactly one name in it (a second URI could
// smuggle in a second role); PERMISSION_DENIED: a name of another trust domain than `trust_domain`,
// or of none in Headgate.
absl::StatusOr<Identity> PeerIdentity(const grpc::AuthContext& context,
                                      std::string_view trust_domain);

// When the certificate that opened the call ends; unset where there is none (plaintext, the local
// socket).
std::optional<TimePoint> PeerCertificateEnd(const grpc::AuthContext& context);

}  // namespace headgate::tls
