// The order of directives: (epoch, revision), compared lexicographically; and what a directive
// says, with its digest.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "common/base/cookie_keys.h"
#include "common/base/share.h"

namespace headgate {

struct Version {
  std::uint64_t epoch = 0;
  std::uint64_t revision = 0;

  friend constexpr auto operator<=>(const Version&, const Version&) = default;
  // "1723658400.7".
  std::string ToString() const;
};

// Everything that an agent must enforce for one gate.
struct Directive {
  std::string gate;
  Version version;
  Share share;
  // Enforce the lower of this share and your own.
  bool no_raise = false;
  // For Retry-After, in seconds.
  std::uint32_t retry_after_s = 10;
  // Empty: agents keep those that they have.
  CookieKeys cookie_keys{};

  friend bool operator==(const Directive&, const Directive&) = default;
};

// The formula stands at Directive.digest in agent.proto.
std::uint64_t DigestOf(const Directive& directive);

}  // namespace headgate
