#include "common/tls/authority.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "common/tls/certificate.h"
#include "common/tls/files.h"
#include "common/tls/x509.h"

namespace headgate::tls {
namespace {

// So that a peer whose clock is a little behind accepts a certificate at once.
constexpr Duration kBackdated{5LL * 60 * 1'000};

absl::Status CannotWrite(const std::string& path) {
  return absl::PermissionDeniedError(
      fmt::format("{}: cannot be written ({}); give a directory that you may write to", path,
                  std::strerror(errno)));
}

bool WriteAndSync(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(fd) == 0;
}

struct NewFile {
  std::string path;
  std::string content;
  mode_t mode = 0600;
};

// Whole or not at all: written beside, synced, then put in place in one step.
absl::Status WriteFile(const NewFile& file, bool overwrite) {
  const std::string beside = fmt::format("{}.new-{}", file.path, getpid());
  unlink(beside.c_str());
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode);
  if (fd < 0) return CannotWrite(file.path);
  const bool written = WriteAndSync(fd, file.content) && fchmod(fd, file.mode) == 0;
  close(fd);
  // link refuses an existing name, rename replaces it; both are atomic.
  const int placed = !written    ? -1
                     : overwrite ? rename(beside.c_str(), file.path.c_str())
                                 : link(beside.c_str(), file.path.c_str());
  const int error = errno;
  unlink(beside.c_str());
  if (placed == 0) return absl::OkStatus();
  errno = error;
  if (written && error == EEXIST) {
    return absl::AlreadyExistsError(fmt::format(
        "{}: is there already, and is not overwritten; remove it, or give --overwrite", file.path));
  }
  return CannotWrite(file.path);
}

absl::Status SyncDirectory(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return CannotWrite(directory);
  const bool synced = fsync(fd) == 0;
  close(fd);
  return synced ? absl::OkStatus() : CannotWrite(directory);
}

absl::Status MakeDirectory(const std::string& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return absl::OkStatus();
  const std::filesystem::path parent = std::filesystem::path(directory).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  return mkdir(directory.c_str(), 0700) == 0 ? absl::OkStatus() : CannotWrite(directory);
}

absl::Status CheckLifetime(Duration lifetime, Duration lifetime_max) {
  if (lifetime >= kLifetimeMin && lifetime <= lifetime_max) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "a lifetime of {} s is refused; write 1 minute to {} days",
      std::chrono::duration_cast<std::chrono::seconds>(lifetime).count(), lifetime_max / kDay));
}

// The key first: a certificate without its key would be of no use, a key alone does no harm.
absl::Status WritePair(const Issued& issued, EVP_PKEY& key, X509& certificate, bool overwrite) {
  const std::string directory = std::filesystem::path(issued.key_path).parent_path();
  if (auto made = MakeDirectory(directory); !made.ok()) return made;
  std::error_code error;
  if (!overwrite && std::filesystem::exists(issued.certificate_path, error)) {
    return absl::AlreadyExistsError(
        fmt::format("{}: is there already, and is not overwritten; remove it, or give --overwrite",
                    issued.certificate_path));
  }
  if (auto s = WriteFile({issued.key_path, ToPem(key), 0600}, overwrite); !s.ok()) return s;
  if (auto s = WriteFile({issued.certificate_path, ToPem(certificate), 0644}, overwrite); !s.ok()) {
    return s;
  }
  return SyncDirectory(directory);
}

struct LoadedAuthority {
  CertificatePtr certificate;
  KeyPtr key;
  std::string trust_domain;
};

absl::StatusOr<LoadedAuthority> LoadAuthority(const std::string& directory, TimePoint now) {
  const std::string certificate_path = std::filesystem::path(directory) / "ca.crt";
  const std::string key_path = std::filesystem::path(directory) / "ca.key";
  const auto certificate_pem = ReadPemFile(certificate_path);
  if (!certificate_pem.ok()) return certificate_pem.status();
  const auto key_pem = ReadPemFile(key_path);
  if (!key_pem.ok()) return key_pem.status();
  auto certificates = ParseCertificates(*certificate_pem);
  auto key = ParseKey(*key_pem);
  if (!certificates.ok() || !key.ok() ||
      X509_check_private_key(certificates->front().get(), key->get()) != 1) {
    TakeOpenSslError();
    return absl::FailedPreconditionError(
        fmt::format("{}: not the key of {}; restore both from one backup, or make a new authority "
                    "with `headgate certs init`",
                    key_path, certificate_path));
  }
  LoadedAuthority authority{std::move(certificates->front()), *std::move(key), ""};
  if (now >= NotAfter(*authority.certificate)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: the authority expired at {}; make a new one with `headgate certs init`",
                    certificate_path, FormatTime(NotAfter(*authority.certificate))));
  }
  constexpr std::string_view kScheme = "spiffe://";
  const auto uris = UriNames(*authority.certificate);
  if (uris.size() != 1 || !uris[0].starts_with(kScheme)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: names no trust domain; give the directory of an authority that `headgate "
                    "certs init` made",
                    certificate_path));
  }
  authority.trust_domain = uris[0].substr(kScheme.size());
  return authority;
}

}  // namespace

absl::StatusOr<Issued> CreateAuthority(const AuthorityRequest& request, TimePoint now) {
  if (auto s = CheckLifetime(request.lifetime, kAuthorityLifetime); !s.ok()) return s;
  if (!IsTrustDomain(request.trust_domain)) {
    return absl::InvalidArgumentError(fmt::format(
        "the trust domain {:?} is refused: write 1 to {} of a-z, 0-9, '.', '_' and '-', "
        "such as shop.example",
        request.trust_domain.substr(0, kTrustDomainBytesMax), kTrustDomainBytesMax));
  }
  // The rules of a whole name hold for its trust domain.
  const auto probe = SpiffeUri({Role::kController, "x", request.trust_domain});
  if (!probe.ok()) return probe.status();
  auto key = MakeKey();
  if (!key.ok()) return key.status();
  const CertificateSpec spec{
      .common_name = fmt::format("Headgate authority of {}", request.trust_domain).substr(0, 64),
      .uris = {fmt::format("spiffe://{}", request.trust_domain)},
      .is_authority = true,
      .not_before = now - kBackdated,
      .not_after = now + request.lifetime,
  };
  auto certificate = MakeCertificate(spec, **key, nullptr);
  if (!certificate.ok()) return certificate.status();
  const std::filesystem::path directory = request.directory;
  const Issued issued{directory / "ca.crt", directory / "ca.key", "", NotAfter(**certificate)};
  if (auto s = WritePair(issued, **key, **certificate, request.overwrite); !s.ok()) return s;
  return issued;
}

absl::StatusOr<Issued> IssueCertificate(const IssueRequest& request, TimePoint now) {
  if (auto s = CheckLifetime(request.lifetime, kLeafLifetimeMax); !s.ok()) return s;
  const auto authority = LoadAuthority(request.authority_directory, now);
  if (!authority.ok()) return authority.status();
  auto uri = SpiffeUri({request.role, request.name, authority->trust_domain});
  if (!uri.ok()) return uri.status();
  auto key = MakeKey();
  if (!key.ok()) return key.status();
  const std::string stem = fmt::format("{}-{}", RoleName(request.role), request.name);
  const CertificateSpec spec{
      .common_name = stem.substr(0, 64),
      .uris = {*uri},
      .dns_names = request.dns_names,
      .ip_addresses = request.ip_addresses,
      // Agents serve their metrics.
      .may_serve = request.role == Role::kController || request.role == Role::kAgent,
      .not_before = now - kBackdated,
      .not_after = std::min(now + request.lifetime, NotAfter(*authority->certificate)),
  };
  const Issuer issuer{*authority->certificate, *authority->key};
  auto certificate = MakeCertificate(spec, **key, &issuer);
  if (!certificate.ok()) return certificate.status();
  const std::filesystem::path directory = request.directory;
  const Issued issued{directory / (stem + ".crt"), directory / (stem + ".key"), *std::move(uri),
                      NotAfter(**certificate)};
  if (auto s = WritePair(issued, **key, **certificate, request.overwrite); !s.ok()) return s;
  return issued;
}

}  // namespace headgate::tls
