// The gate's rule: whom it admits now, and what it has decided so far. Thread-safe; no call waits
// for anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "agents/core/share_file.h"
#include "agents/endpoint/new_cookies.h"
#include "agents/endpoint/question.h"
#include "common/base/cookie_keys.h"

namespace headgate::endpoint {

// kLimited: refused, and refused a new cookie.
enum class Verdict { kAdmitted, kBypassed, kRefused, kLimited };

struct Ruling {
  Verdict verdict = Verdict::kRefused;
  // Of Retry-After: spread by half of itself, so that people do not come back as one.
  std::uint32_t retry_after_s = 0;
  // Set-Cookie's value for who has none; empty: none is given.
  std::string cookie;
  // Of the user's key, or of the cookie that a refused one is given; unset: nobody knows.
  std::optional<std::uint32_t> bucket{};
  // That bucket is in: only the place was missing, which is given with this answer.
  bool is_soon = false;
};

struct Decided {
  std::uint64_t admitted = 0;
  std::uint64_t bypassed = 0;
  std::uint64_t refused = 0;
  // Of them.
  std::uint64_t limited = 0;
};

class Admission {
 public:
  Admission(Rules rules, const agent::ShareFile& share);

  const Rules& rules() const { return rules_; }
  agent::ShareFile share() const;
  void Set(const agent::ShareFile& share);
  // What cookies must be signed with; without keys any cookie is a key.
  void SetCookieKeys(const CookieKeys& keys);
  CookieKeys cookie_keys() const;
  // The key that counts: the user's own, unless it is a cookie that nobody signed.
  std::string Verified(const std::string& key) const;

  // Unless the share was set since it was `seen`. False: it was, or `width` is no less.
  bool LowerFrom(const agent::ShareFile& seen, std::uint32_t width);

  Ruling Decide(const Question& question, TimePoint now);
  // As Decide refuses, and counts nothing: somebody who was refused, and `given` that cookie then,
  // asks for the page.
  Ruling Refuse(const Question& question, const std::string& given = "");
  // As it would be decided; counts nothing.
  bool Admits(const std::string& key) const;
  std::uint32_t NextRetryAfter();
  Decided decided() const;

 private:
  Ruling RefusalOf(std::optional<std::uint32_t> bucket);

  static constexpr std::size_t kKnownMax = 65'536;
  static constexpr std::size_t kKnownBytesMax = 128;

  std::string NewCookie(bool is_secure) const;
  bool IsSigned(const std::shared_ptr<const CookieKeys>& keys, const std::string& cookie) const;
  std::optional<std::uint32_t> BucketOfEither(const std::string& key,
                                              const std::string& given) const;

  const Rules rules_;
  NewCookies new_cookies_;
  std::atomic<std::shared_ptr<const CookieKeys>> cookie_keys_;
  // Cookies that these keys were found to have signed lately: verifying one costs as much as all
  // the rest of an answer. Another set of keys has another of these.
  mutable std::mutex known_mutex_;
  mutable std::unordered_set<std::string> known_;
  mutable std::shared_ptr<const CookieKeys> known_by_;
  // Width and retry_after in one, so that nobody sees half of a change.
  std::atomic<std::uint64_t> share_;
  std::atomic<std::uint64_t> draws_{0};
  std::atomic<std::uint64_t> admitted_{0};
  std::atomic<std::uint64_t> bypassed_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> limited_{0};
};

}  // namespace headgate::endpoint
