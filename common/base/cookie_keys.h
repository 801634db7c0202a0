// The keys that sign a gate's own cookie, as the controller hands them to every agent. A cookie is
// accepted if any of them signed it; new ones are signed by one. Values, without cryptography.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace headgate {

inline constexpr std::size_t kCookieSecretBytes = 32;
inline constexpr std::size_t kCookieKeysMax = 4;

struct CookieKey {
  // Never 0. Stands in the cookie.
  std::uint32_t id = 0;
  // kCookieSecretBytes random bytes.
  std::string secret;

  friend bool operator==(const CookieKey&, const CookieKey&) = default;
};

struct CookieKeys {
  // The id of the one that signs new cookies.
  std::uint32_t issuing = 0;
  // Oldest first. Empty: cookies are not signed, or nothing is said of them.
  std::vector<CookieKey> keys;

  bool empty() const { return keys.empty(); }
  // One stands behind the issuing one: it is accepted, and signs nothing until every load balancer
  // accepts it.
  bool HasStaged() const { return !keys.empty() && keys.back().id != issuing; }
  // Between 1 and kCookieKeysMax, ids and secrets as they must be, and the issuing one among them.
  bool AreSound() const;

  friend bool operator==(const CookieKeys&, const CookieKeys&) = default;
};

}  // namespace headgate
