// The gate's own cookie, "ID.NAME.MAC", and the keys that sign it in the form in which load
// balancers read them. docs/PROTOCOL.md tells the formula. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/cookie_keys.h"

namespace headgate::agent {

inline constexpr std::size_t kCookieMacBytes = 16;
// In the keys' file: the id of the key that signs new cookies. Secrets stand under "k" and their
// id, so that no cookie can name this one.
inline constexpr char kIssueEntry[] = "issue";

// "7.NAME.MAC" of the name, which holds no dot.
std::string SignCookie(const CookieKey& key, std::string_view name);
// One of the keys signed it.
bool IsSigned(const CookieKeys& keys, std::string_view cookie);

// What a load balancer reads at its start: "issue 7", then "k7 SECRET", in base64, of each key. No
// key: only a comment, and cookies are not signed.
std::string CookieKeysText(const CookieKeys& keys);
// Without keys where the text has none. INVALID_ARGUMENT: they are damaged.
absl::StatusOr<CookieKeys> ParseCookieKeys(const std::string& text);
// Beside the share file.
std::string CookieKeysFileOf(const std::string& share_file);

// Durably, unless the file says so already, letter by letter.
absl::Status WriteCookieKeys(const std::string& path, const CookieKeys& keys);
// What stands in the file; without keys where there is no file.
absl::StatusOr<CookieKeys> ReadCookieKeys(const std::string& path);

}  // namespace headgate::agent
