#include "common/tls/x509.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>

#include "common/base/check.h"

namespace headgate::tls {
namespace {

BioPtr ReaderOf(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO& memory) {
  const char* text = nullptr;
  const auto size = BIO_get_mem_data(&memory, &text);
  return {text, static_cast<std::size_t>(size)};
}

TimePoint ToTimePoint(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return TimePoint();
  return TimePoint(std::chrono::seconds(timegm(&broken_down)));
}

// A passphrase is refused, not asked for: nobody sits at a daemon's terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

std::string TakeOpenSslError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

absl::StatusOr<std::vector<CertificatePtr>> ParseCertificates(std::string_view pem) {
  const BioPtr reader = ReaderOf(pem);
  std::vector<CertificatePtr> certificates;
  while (CertificatePtr next{PEM_read_bio_X509(reader.get(), nullptr, NoPassphrase, nullptr)}) {
    certificates.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TakeOpenSslError();
  if (!at_end) {
    return absl::InvalidArgumentError(
        fmt::format("certificate {} in it is broken ({})", certificates.size() + 1, reason));
  }
  if (certificates.empty()) return absl::InvalidArgumentError("there is no PEM certificate in it");
  return certificates;
}

absl::StatusOr<KeyPtr> ParseKey(std::string_view pem) {
  const BioPtr reader = ReaderOf(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, NoPassphrase, nullptr));
  const std::string reason = TakeOpenSslError();
  if (key != nullptr) return key;
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return absl::InvalidArgumentError("its private key is locked with a passphrase; unlock it");
  }
  return absl::InvalidArgumentError(fmt::format("there is no PEM private key in it ({})", reason));
}

std::string ToPem(X509& certificate) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  HEADGATE_CHECK(PEM_write_bio_X509(memory.get(), &certificate) == 1);
  return TextOf(*memory);
}

std::string ToPem(EVP_PKEY& key) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  HEADGATE_CHECK(PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr,
                                               nullptr) == 1);
  return TextOf(*memory);
}

std::vector<std::string> UriNames(const X509& certificate) {
  std::vector<std::string> uris;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_URI) continue;
    const auto* text = static_cast<const ASN1_IA5STRING*>(value);
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return uris;
}

TimePoint NotBefore(const X509& certificate) {
  return ToTimePoint(X509_get0_notBefore(&certificate));
}

TimePoint NotAfter(const X509& certificate) {
  return ToTimePoint(X509_get0_notAfter(&certificate));
}

}  // namespace headgate::tls
