#include "common/http/tls_context.h"

#include <cstddef>

#include "common/tls/x509.h"

namespace headgate::http {

bool PrepareServerContext(SSL_CTX& context, const tls::Material& material) {
  const auto authorities = tls::ParseCertificates(material.ca_pem);
  const auto chain = tls::ParseCertificates(material.certificate_pem);
  const auto key = tls::ParseKey(material.key_pem);
  if (!authorities.ok() || !chain.ok() || !key.ok()) return false;

  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  if (SSL_CTX_use_certificate(&context, chain->front().get()) != 1) return false;
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(&context, (*chain)[i].get()) != 1) return false;
  }
  if (SSL_CTX_use_PrivateKey(&context, key->get()) != 1) return false;
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  for (const auto& authority : *authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1) return false;
  }
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A resumed session would skip the certificate's check, and needs a context id.
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
  return true;
}

}  // namespace headgate::http
