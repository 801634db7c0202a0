#include "common/tls/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace headgate::tls {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;

constexpr std::size_t kDnsNameBytesMax = 253;

bool IsDnsName(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  return !text.empty() && text.size() <= kDnsNameBytesMax && text.front() != '.' &&
         text.back() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

bool AppendName(GENERAL_NAMES& names, int type, std::string_view bytes) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* text = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  ASN1_STRING_set(text, bytes.data(), static_cast<int>(bytes.size()));
  GENERAL_NAME_set0_value(name, type, text);
  return sk_GENERAL_NAME_push(&names, name) > 0;
}

// The 4 or 16 bytes of an address; empty if it is none.
std::string AddressBytes(const std::string& address) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

absl::Status AddNames(X509& certificate, const CertificateSpec& spec) {
  const NamesPtr names(GENERAL_NAMES_new());
  for (const std::string& uri : spec.uris) AppendName(*names, GEN_URI, uri);
  for (const std::string& dns : spec.dns_names) {
    if (!IsDnsName(dns)) {
      return absl::InvalidArgumentError(
          fmt::format("\"{}\" is no DNS name; write one like shop.example.org", dns));
    }
    AppendName(*names, GEN_DNS, dns);
  }
  for (const std::string& address : spec.ip_addresses) {
    const std::string bytes = AddressBytes(address);
    if (bytes.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("\"{}\" is no IP address; write one like 192.0.2.7 or 2001:db8::7", address));
    }
    AppendName(*names, GEN_IPADD, bytes);
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return absl::OkStatus();
  if (X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) !=
      1) {
    return absl::InternalError(fmt::format("cannot add names: {}", TakeOpenSslError()));
  }
  return absl::OkStatus();
}

bool AddExtension(X509& certificate, const Issuer* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer == nullptr ? &certificate : &issuer->certificate, &certificate,
                 nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool AddUsage(X509& certificate, const CertificateSpec& spec, const Issuer* issuer) {
  const auto add = [&](int nid, const char* value) {
    return AddExtension(certificate, issuer, nid, value);
  };
  if (!add(NID_subject_key_identifier, "hash")) return false;
  if (spec.is_authority) {
    return add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add(NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  return add(NID_authority_key_identifier, "keyid") &&
         add(NID_basic_constraints, "critical,CA:FALSE") &&
         add(NID_key_usage, "critical,digitalSignature") &&
         add(NID_ext_key_usage, spec.may_serve ? "serverAuth,clientAuth" : "clientAuth");
}

// 127 random bits: positive, and unguessable as the rules of public authorities ask.
bool SetSerial(X509& certificate) {
  const BignumPtr number(BN_new());
  return BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool SetSubject(X509& certificate, const std::string& common_name) {
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const auto add = [subject](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", "Headgate") && add("CN", common_name);
}

bool SetDates(X509& certificate, const CertificateSpec& spec) {
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), UnixMillis(spec.not_before) / 1'000) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), UnixMillis(spec.not_after) / 1'000) !=
             nullptr;
}

}  // namespace

absl::StatusOr<KeyPtr> MakeKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) {
    return absl::InternalError(fmt::format("OpenSSL made no key: {}", TakeOpenSslError()));
  }
  return key;
}

absl::StatusOr<CertificatePtr> MakeCertificate(const CertificateSpec& spec, EVP_PKEY& key,
                                               const Issuer* issuer) {
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  const bool prepared =
      SetSerial(*certificate) && SetSubject(*certificate, spec.common_name) &&
      SetDates(*certificate, spec) && X509_set_pubkey(certificate.get(), &key) == 1 &&
      X509_set_issuer_name(
          certificate.get(),
          X509_get_subject_name(issuer == nullptr ? certificate.get() : &issuer->certificate)) == 1;
  if (prepared) {
    if (auto named = AddNames(*certificate, spec); !named.ok()) return named;
  }
  if (!prepared || !AddUsage(*certificate, spec, issuer) ||
      X509_sign(certificate.get(), issuer == nullptr ? &key : &issuer->key, EVP_sha256()) == 0) {
    return absl::InternalError(fmt::format("OpenSSL made no certificate: {}", TakeOpenSslError()));
  }
  return certificate;
}

}  // namespace headgate::tls
