// PEM files, read and proven to work together before anything is built on them: gRPC takes a
// mismatched pair without a word and then fails every handshake. Any thread; blocks on the disk.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/tls/identity.h"

namespace headgate::tls {

inline constexpr std::size_t kPemBytesMax = 1 << 20;

// Paths. One CA file may hold several authorities, a certificate file its intermediates.
struct Files {
  std::string ca{};
  std::string certificate{};
  std::string key{};
};

// What the files said, as PEM, proven: the key fits, nothing has expired, the chain leads to the
// CA, the certificate names exactly one identity, and TLS takes the pair for what its role does.
struct Material {
  std::string ca_pem{};
  std::string certificate_pem{};
  std::string key_pem{};
  Identity identity{};
  // Of the certificate: a metric, and the date to renew it by.
  TimePoint not_after{};
  friend bool operator==(const Material&, const Material&) = default;
};

// Errors name the file and the remedy. NOT_FOUND, PERMISSION_DENIED: cannot be read;
// INVALID_ARGUMENT: not PEM, or names no identity; FAILED_PRECONDITION: expired, or they do not
// fit.
absl::StatusOr<Material> Load(const Files& files, TimePoint now);

// The file's content; refuses more than kPemBytesMax. Errors name the file and the remedy.
absl::StatusOr<std::string> ReadPemFile(const std::string& path);

}  // namespace headgate::tls
