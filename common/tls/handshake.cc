#include "common/tls/handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace headgate::tls {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;

// Far more turns than a handshake needs.
constexpr int kTurnsMax = 16;
constexpr int kBufferBytes = 256 << 10;

// `verifies`: the other end must show a certificate of the authorities, for what it is.
ContextPtr MakeContext(const Pair& pair, bool verifies, TimePoint now) {
  ContextPtr context(SSL_CTX_new(TLS_method()));
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  if (SSL_CTX_use_certificate(context.get(), pair.chain.front().get()) != 1) return nullptr;
  for (std::size_t i = 1; i < pair.chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), pair.chain[i].get()) != 1) return nullptr;
  }
  if (SSL_CTX_use_PrivateKey(context.get(), &pair.key) != 1) return nullptr;
  X509_STORE* store = SSL_CTX_get_cert_store(context.get());
  for (const CertificatePtr& authority : pair.authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1) return nullptr;
  }
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context.get()), UnixMillis(now) / 1'000);
  SSL_CTX_set_verify(context.get(),
                     verifies ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                     nullptr);
  return context;
}

absl::Status Refused(const SSL* verifier) {
  const long verdict = verifier == nullptr ? X509_V_OK : SSL_get_verify_result(verifier);
  const unsigned long code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  const std::string why = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                          : reason != nullptr  ? reason
                                               : "the handshake comes to no end";
  ERR_clear_error();
  return absl::FailedPreconditionError(why);
}

// One end's next part; false: it failed.
bool Turn(SSL& end, bool& is_done) {
  const int result = SSL_do_handshake(&end);
  is_done = result == 1;
  const int error = SSL_get_error(&end, result);
  return is_done || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

}  // namespace

absl::Status ProveHandshake(const Pair& pair, TimePoint now) {
  ERR_clear_error();
  const ContextPtr server_context = MakeContext(pair, !pair.is_server, now);
  const ContextPtr client_context = MakeContext(pair, pair.is_server, now);
  if (server_context == nullptr || client_context == nullptr) return Refused(nullptr);
  const SessionPtr server(SSL_new(server_context.get()));
  const SessionPtr client(SSL_new(client_context.get()));
  BIO* here = nullptr;
  BIO* there = nullptr;
  if (server == nullptr || client == nullptr ||
      BIO_new_bio_pair(&here, kBufferBytes, &there, kBufferBytes) != 1) {
    return Refused(nullptr);
  }
  SSL_set_bio(server.get(), here, here);
  SSL_set_bio(client.get(), there, there);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  const SSL* verifier = pair.is_server ? client.get() : server.get();
  bool is_accepted = false;
  bool is_connected = false;
  for (int turn = 0; turn < kTurnsMax && !(is_accepted && is_connected); ++turn) {
    if (!Turn(*client, is_connected) || !Turn(*server, is_accepted)) return Refused(verifier);
  }
  if (!is_accepted || !is_connected) return Refused(verifier);
  ERR_clear_error();
  return absl::OkStatus();
}

}  // namespace headgate::tls
