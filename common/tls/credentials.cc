#include "common/tls/credentials.h"

#include <fmt/format.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/tls/x509.h"

namespace headgate::tls {
namespace {

using grpc::experimental::CertificateProviderInterface;
using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::TlsCustomVerificationCheckRequest;

std::shared_ptr<CertificateProviderInterface> ProviderOf(const Material& material) {
  return std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      material.ca_pem, std::vector<grpc::experimental::IdentityKeyCertPair>{
                           {material.key_pem, material.certificate_pem}});
}

// Runs after the chain was verified.
class ControllerVerifier : public ExternalCertificateVerifier {
 public:
  explicit ControllerVerifier(std::string trust_domain) : trust_domain_(std::move(trust_domain)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* verdict) override {
    const auto uris = request->uri_names();
    if (uris.size() != 1) {
      return Refuse(*verdict,
                    fmt::format("the server's certificate has {} URI names", uris.size()));
    }
    const auto identity = ParseSpiffeUri({uris[0].data(), uris[0].size()});
    if (!identity.ok()) return Refuse(*verdict, std::string(identity.status().message()));
    if (identity->role != Role::kController) {
      return Refuse(*verdict, fmt::format("the server is {} {}, and no controller",
                                          RoleName(identity->role), identity->name));
    }
    if (identity->trust_domain != trust_domain_) {
      return Refuse(*verdict, fmt::format("the server is of trust domain {}, and we are of {}",
                                          identity->trust_domain, trust_domain_));
    }
    *verdict = grpc::Status::OK;
    return true;
  }

  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  static bool Refuse(grpc::Status& verdict, const std::string& why) {
    verdict = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, why);
    return true;
  }

  const std::string trust_domain_;
};

std::vector<std::string> Values(const grpc::AuthContext& context, const char* property) {
  std::vector<std::string> values;
  for (const grpc::string_ref& value : context.FindPropertyValues(property)) {
    values.emplace_back(value.data(), value.size());
  }
  return values;
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const Material& material) {
  grpc::experimental::TlsServerCredentialsOptions options(ProviderOf(material));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const Material& material) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(ProviderOf(material));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<ControllerVerifier>(material.identity.trust_domain));
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> LocalServerCredentials() {
  return grpc::experimental::LocalServerCredentials(UDS);
}

std::shared_ptr<grpc::ChannelCredentials> LocalChannelCredentials() {
  return grpc::experimental::LocalCredentials(UDS);
}

absl::StatusOr<Identity> PeerIdentity(const grpc::AuthContext& context,
                                      std::string_view trust_domain) {
  if (Values(context, "transport_security_type") == std::vector<std::string>{"local"}) {
    return Identity{Role::kApprover, std::string(kLocalName), std::string(kLocalTrustDomain)};
  }
  const auto uris = Values(context, "peer_uri");
  const auto spiffe_ids = Values(context, "peer_spiffe_id");
  if (uris.size() > 1 || spiffe_ids.size() != 1) {
    return absl::UnauthenticatedError(
        fmt::format("the caller's certificate has {} URI names, and exactly one SPIFFE name says "
                    "who it is; issue one with `headgate certs issue`",
                    uris.size()));
  }
  auto identity = ParseSpiffeUri(spiffe_ids[0]);
  if (!identity.ok()) return absl::PermissionDeniedError(std::string(identity.status().message()));
  if (identity->trust_domain != trust_domain) {
    return absl::PermissionDeniedError(
        fmt::format("{} is of trust domain {}, and this controller is of {}; issue a certificate "
                    "there",
                    spiffe_ids[0], identity->trust_domain, trust_domain));
  }
  return identity;
}

std::optional<TimePoint> PeerCertificateEnd(const grpc::AuthContext& context) {
  const auto pems = Values(context, GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pems.size() != 1) return std::nullopt;
  const auto chain = ParseCertificates(pems[0]);
  if (!chain.ok()) return std::nullopt;
  return NotAfter(*chain->front());
}

}  // namespace headgate::tls
