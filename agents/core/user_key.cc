#include "agents/core/user_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/bucket.h"

namespace headgate::agent {
namespace {

constexpr std::size_t kNameBytesMax = 64;

// The characters of an HTTP token that need no quoting in HAProxy's configuration.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

absl::StatusOr<UserKey> UserKey::Parse(std::string_view text) {
  if (text == "client_address") return UserKey{Kind::kClientAddress, ""};
  const std::size_t space = text.find(' ');
  const std::string_view kind = text.substr(0, space);
  const std::string_view name = space == std::string_view::npos ? "" : text.substr(space + 1);
  if (kind == "cookie" && IsName(name)) return UserKey{Kind::kCookie, std::string(name)};
  if (kind == "header" && IsName(name)) return UserKey{Kind::kHeader, std::string(name)};
  return absl::InvalidArgumentError(fmt::format(
      "'{}' names no user key: write 'cookie NAME', 'header NAME' or 'client_address'", text));
}

std::string_view NameOf(UserKey::Kind kind) {
  switch (kind) {
    case UserKey::Kind::kCookie:
      return "cookie";
    case UserKey::Kind::kHeader:
      return "header";
    case UserKey::Kind::kClientAddress:
      return "client_address";
  }
  return "";
}

std::string UserKey::ToString() const {
  const std::string word(NameOf(kind));
  return kind == Kind::kClientAddress ? word : word + " " + name;
}

ProbeKeys FindProbeKeys(std::uint32_t width, std::uint64_t seed) {
  ProbeKeys keys;
  bool needs_inside = width > 0;
  bool needs_outside = width < kBuckets;
  std::string key = fmt::format("headgate-probe-{:x}-", seed & 0xFFFFFF);
  const std::size_t prefix = key.size();
  for (std::uint64_t i = 0; needs_inside || needs_outside; ++i) {
    key.resize(prefix);
    for (std::uint64_t rest = i + 1; rest != 0; rest >>= 4) key += "0123456789abcdef"[rest & 15];
    const std::uint32_t bucket = BucketOf(key);
    if (needs_inside && bucket == width - 1) {
      keys.inside = key;
      needs_inside = false;
    }
    if (needs_outside && bucket == width) {
      keys.outside = key;
      needs_outside = false;
    }
  }
  return keys;
}

}  // namespace headgate::agent
