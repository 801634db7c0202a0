#include "common/tls/files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "common/tls/x509.h"

namespace headgate::tls {
namespace {

constexpr std::string_view kReissue = "issue a new one with `headgate certs issue`";

absl::Status About(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), fmt::format("{}: {}", path, std::string(status.message())));
}

absl::Status CheckDates(const std::string& path, const X509& certificate, TimePoint now) {
  if (now < NotBefore(certificate)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: the certificate is not valid before {}, and it is {}; check the clock of "
                    "this machine",
                    path, FormatTime(NotBefore(certificate)), FormatTime(now)));
  }
  if (now >= NotAfter(certificate)) {
    return absl::FailedPreconditionError(fmt::format("{}: the certificate expired at {}; {}", path,
                                                     FormatTime(NotAfter(certificate)), kReissue));
  }
  return absl::OkStatus();
}

absl::Status CheckChain(const Files& files, const std::vector<CertificatePtr>& authorities,
                        const std::vector<CertificatePtr>& chain, TimePoint now) {
  const StorePtr store(X509_STORE_new());
  for (const auto& authority : authorities) X509_STORE_add_cert(store.get(), authority.get());
  STACK_OF(X509)* intermediates = sk_X509_new_null();
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(intermediates, chain[i].get());
  const StoreContextPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), intermediates);
  X509_STORE_CTX_set_time(context.get(), 0, UnixMillis(now) / 1'000);
  const bool verified = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(intermediates);
  TakeOpenSslError();
  if (verified) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: not signed by the authority in {} ({}); give the CA that issued it, or {}",
                  files.certificate, files.ca, X509_verify_cert_error_string(error), kReissue));
}

absl::StatusOr<Identity> IdentityIn(const std::string& path, const X509& certificate) {
  const std::vector<std::string> uris = UriNames(certificate);
  if (uris.size() != 1) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the certificate has {} URI names, and exactly one says who it is; {}",
                    path, uris.size(), kReissue));
  }
  auto identity = ParseSpiffeUri(uris[0]);
  if (!identity.ok()) return About(path, identity.status());
  return identity;
}

}  // namespace

absl::StatusOr<std::string> ReadPemFile(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 && errno == ENOENT) {
    return absl::NotFoundError(fmt::format(
        "{}: there is no such file; make one with `headgate certs init` and `certs issue`", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file || !S_ISREG(status.st_mode)) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be read ({}); let the user that runs this program read it", path,
                    S_ISREG(status.st_mode) ? std::strerror(errno) : "it is not a regular file"));
  }
  if (status.st_size > static_cast<off_t>(kPemBytesMax)) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} bytes, and a PEM file has at most {}; give the right file", path,
                    status.st_size, kPemBytesMax));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<Material> Load(const Files& files, TimePoint now) {
  Material material;
  for (const auto& [path, pem] : {std::pair(&files.ca, &material.ca_pem),
                                  std::pair(&files.certificate, &material.certificate_pem),
                                  std::pair(&files.key, &material.key_pem)}) {
    auto text = ReadPemFile(*path);
    if (!text.ok()) return text.status();
    *pem = *std::move(text);
  }
  const auto authorities = ParseCertificates(material.ca_pem);
  if (!authorities.ok()) return About(files.ca, authorities.status());
  const auto chain = ParseCertificates(material.certificate_pem);
  if (!chain.ok()) return About(files.certificate, chain.status());
  const auto key = ParseKey(material.key_pem);
  if (!key.ok()) return About(files.key, key.status());

  X509& leaf = *chain->front();
  if (X509_check_private_key(&leaf, key->get()) != 1) {
    TakeOpenSslError();
    return absl::FailedPreconditionError(
        fmt::format("{}: not the key of {}; give the pair that was issued together", files.key,
                    files.certificate));
  }
  if (auto dates = CheckDates(files.certificate, leaf, now); !dates.ok()) return dates;
  if (auto signed_by = CheckChain(files, *authorities, *chain, now); !signed_by.ok()) {
    return signed_by;
  }
  auto identity = IdentityIn(files.certificate, leaf);
  if (!identity.ok()) return identity.status();
  material.identity = *std::move(identity);
  material.not_after = NotAfter(leaf);
  return material;
}

}  // namespace headgate::tls
