#include "common/tls/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "common/tls/handshake.h"
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

// Whether it is good for what its role does: a controller serves, everybody else calls.
absl::Status CheckTls(const std::string& path, const Pair& pair, TimePoint now) {
  const absl::Status proven = ProveHandshake(pair, now);
  if (proven.ok()) return proven;
  return absl::FailedPreconditionError(
      fmt::format("{}: TLS refuses it as a {}'s certificate ({}); {}", path,
                  pair.is_server ? "server" : "client", std::string(proven.message()), kReissue));
}

absl::Status CannotRead(const std::string& path, const char* why) {
  return absl::PermissionDeniedError(fmt::format(
      "{}: cannot be read ({}); let the user that runs this program read it", path, why));
}

absl::StatusOr<std::string> ReadAll(const std::string& path, int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return CannotRead(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return CannotRead(path, "it is not a regular file");
  std::string text;
  std::array<char, 8'192> part{};
  // To its end, and not to the size that it had: it may grow meanwhile.
  while (text.size() <= kPemBytesMax) {
    const ssize_t got = read(fd, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead(path, std::strerror(errno));
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return absl::InvalidArgumentError(
      fmt::format("{}: over {} bytes, and a PEM file has at most that many; give the right file",
                  path, kPemBytesMax));
}

}  // namespace

absl::StatusOr<std::string> ReadPemFile(const std::string& path) {
  // A pipe in its place must not keep us waiting for whoever writes into it.
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return absl::NotFoundError(fmt::format(
        "{}: there is no such file; make one with `headgate certs init` and `certs issue`", path));
  }
  if (fd < 0) return CannotRead(path, std::strerror(errno));
  absl::StatusOr<std::string> text = ReadAll(path, fd);
  close(fd);
  return text;
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
  const Pair pair{.chain = *chain,
                  .key = **key,
                  .authorities = *authorities,
                  .is_server = identity->role == Role::kController};
  if (auto speaks = CheckTls(files.certificate, pair, now); !speaks.ok()) return speaks;
  material.identity = *std::move(identity);
  material.not_after = NotAfter(leaf);
  return material;
}

}  // namespace headgate::tls
