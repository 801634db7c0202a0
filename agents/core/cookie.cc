#include "agents/core/cookie.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>

#include "absl/strings/escaping.h"
#include "agents/core/files.h"
#include "common/base/check.h"

namespace headgate::agent {
namespace {

std::optional<std::uint32_t> ParseId(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == 0) return std::nullopt;
  return id;
}

std::string MacOf(const std::string& secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  HEADGATE_CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes,
                      text.size(), mac.data(), &size) != nullptr);
  return absl::BytesToHexString(
      std::string(reinterpret_cast<const char*>(mac.data()), kCookieMacBytes));
}

}  // namespace

std::string SignCookie(const CookieKey& key, std::string_view name) {
  const std::string text = fmt::format("{}.{}", key.id, name);
  return text + "." + MacOf(key.secret, text);
}

bool IsSigned(const CookieKeys& keys, std::string_view cookie) {
  const std::size_t first = cookie.find('.');
  if (first == std::string_view::npos) return false;
  const std::size_t second = cookie.find('.', first + 1);
  if (second == std::string_view::npos) return false;
  const std::string_view mac = cookie.substr(second + 1);
  const std::string_view id = cookie.substr(0, first);
  const auto key = std::find_if(keys.keys.begin(), keys.keys.end(), [&](const CookieKey& known) {
    return std::to_string(known.id) == id;
  });
  if (key == keys.keys.end() || mac.size() != 2 * kCookieMacBytes) return false;
  const std::string right = MacOf(key->secret, cookie.substr(0, second));
  return CRYPTO_memcmp(right.data(), mac.data(), right.size()) == 0;
}

std::string CookieKeysText(const CookieKeys& keys) {
  std::string text = "# Written by headgate-agent: do not edit, and keep it secret.\n";
  if (keys.empty()) return text;
  text += fmt::format("{} {}\n", kIssueEntry, keys.issuing);
  for (const CookieKey& key : keys.keys) {
    text += fmt::format("k{} {}\n", key.id, absl::Base64Escape(key.secret));
  }
  return text;
}

absl::StatusOr<CookieKeys> ParseCookieKeys(const std::string& text) {
  CookieKeys keys;
  std::istringstream lines(text);
  std::string line;
  const auto damaged = absl::InvalidArgumentError("the cookie keys are damaged");
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string entry;
    std::string value;
    if (!(words >> entry) || entry.front() == '#') continue;
    words >> value;
    if (entry == kIssueEntry) {
      const std::optional<std::uint32_t> id = ParseId(value);
      if (!id) return damaged;
      keys.issuing = *id;
      continue;
    }
    CookieKey key;
    key.id = ParseId(entry.substr(1)).value_or(0);
    if (entry.front() != 'k' || !absl::Base64Unescape(value, &key.secret)) return damaged;
    keys.keys.push_back(std::move(key));
  }
  if (keys != CookieKeys{} && !keys.AreSound()) return damaged;
  return keys;
}

std::string CookieKeysFileOf(const std::string& share_file) { return share_file + ".keys"; }

absl::Status WriteCookieKeys(const std::string& path, const CookieKeys& keys) {
  const std::string text = CookieKeysText(keys);
  const absl::StatusOr<std::string> present = ReadSmallFile(path);
  if (present.ok() && *present == text) return absl::OkStatus();
  return WriteDurably(path, text);
}

absl::StatusOr<CookieKeys> ReadCookieKeys(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (absl::IsNotFound(text.status())) return CookieKeys{};
  if (!text.ok()) return text.status();
  return ParseCookieKeys(*text);
}

}  // namespace headgate::agent
