// OpenSSL's context for a server that asks every client for a certificate. Include in .cc files
// only. Any thread.
#pragma once

#include <openssl/ssl.h>

#include "common/tls/files.h"

namespace headgate::http {

// TLS 1.2 or newer. False if OpenSSL refused the material.
bool PrepareServerContext(SSL_CTX& context, const tls::Material& material);

}  // namespace headgate::http
