// OpenSSL's objects with owners, and PEM. OpenSSL stays behind common/tls and common/http: include
// this in .cc files only. Any thread.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate::tls {

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

// The reason of the newest failure of this thread; empties OpenSSL's queue.
std::string TakeOpenSslError();

// Every certificate in `pem`, in order. INVALID_ARGUMENT if there is none or one is broken.
absl::StatusOr<std::vector<CertificatePtr>> ParseCertificates(std::string_view pem);
// INVALID_ARGUMENT if there is none, or it is locked with a passphrase.
absl::StatusOr<KeyPtr> ParseKey(std::string_view pem);

std::string ToPem(X509& certificate);
std::string ToPem(EVP_PKEY& key);

// The URI names of the certificate, in order.
std::vector<std::string> UriNames(const X509& certificate);
TimePoint NotBefore(const X509& certificate);
TimePoint NotAfter(const X509& certificate);

}  // namespace headgate::tls
