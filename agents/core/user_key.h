// What tells users apart in a load balancer's configuration, and keys that prove where its gate
// stands.
// Pure: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate::agent {

struct UserKey {
  enum class Kind { kCookie, kHeader, kClientAddress };

  // "cookie headgate_uid", "header X-User-Id", "client_address". INVALID_ARGUMENT otherwise.
  static absl::StatusOr<UserKey> Parse(std::string_view text);
  std::string ToString() const;

  Kind kind = Kind::kCookie;
  // Of the cookie or header.
  std::string name = "headgate_uid";
};

// "cookie", "header", "client_address".
std::string_view NameOf(UserKey::Kind kind);

struct ProbeKeys {
  // Its bucket is width - 1; empty if the width is 0.
  std::string inside;
  // Its bucket is width; empty if the width is 2^20.
  std::string outside;
};
// By trying: about a million hashes, some 15 ms. `seed` makes other keys for the same buckets.
ProbeKeys FindProbeKeys(std::uint32_t width, std::uint64_t seed);

}  // namespace headgate::agent
