#include "agents/endpoint/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "agents/core/cookie.h"
#include "agents/core/wait_template.h"
#include "common/base/bucket.h"
#include "common/base/random.h"

namespace headgate::endpoint {
namespace {

std::uint64_t Packed(const agent::ShareFile& share) {
  return std::uint64_t{share.width} << 32 | share.retry_after_s;
}

agent::ShareFile Unpacked(std::uint64_t packed) {
  return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)};
}

// A random UUID.
std::string NewUserId() {
  std::string text = absl::BytesToHexString(RandomBytes(16));
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace

Admission::Admission(Rules rules, const agent::ShareFile& share)
    : rules_(std::move(rules)),
      new_cookies_(rules_.new_cookies_per_minute),
      cookie_keys_(std::make_shared<const CookieKeys>()),
      share_(Packed(share)) {}

agent::ShareFile Admission::share() const { return Unpacked(share_); }

void Admission::Set(const agent::ShareFile& share) { share_ = Packed(share); }

void Admission::SetCookieKeys(const CookieKeys& keys) {
  cookie_keys_ = std::make_shared<const CookieKeys>(keys);
}

CookieKeys Admission::cookie_keys() const { return *cookie_keys_.load(); }

std::string Admission::Verified(const std::string& key) const {
  if (rules_.key.kind != agent::UserKey::Kind::kCookie || key.empty()) return key;
  const std::shared_ptr<const CookieKeys> keys = cookie_keys_;
  return keys->empty() || IsSigned(keys, key) ? key : "";
}

bool Admission::IsSigned(const std::shared_ptr<const CookieKeys>& keys,
                         const std::string& cookie) const {
  {
    const std::lock_guard lock(known_mutex_);
    if (known_by_ == keys && known_.contains(cookie)) return true;
  }
  if (!agent::IsSigned(*keys, cookie)) return false;
  if (cookie.size() > kKnownBytesMax) return true;
  const std::lock_guard lock(known_mutex_);
  if (known_by_ != keys || known_.size() >= kKnownMax) known_.clear();
  known_by_ = keys;
  known_.insert(cookie);
  return true;
}

std::string Admission::NewCookie(bool is_secure) const {
  std::string id = NewUserId();
  const std::shared_ptr<const CookieKeys> keys = cookie_keys_;
  for (const CookieKey& key : keys->keys) {
    if (key.id == keys->issuing) id = agent::SignCookie(key, id);
  }
  return fmt::format("{}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{}", rules_.key.name,
                     id, is_secure ? "; Secure" : "");
}

bool Admission::LowerFrom(const agent::ShareFile& seen, std::uint32_t width) {
  if (width >= seen.width) return false;
  std::uint64_t expected = Packed(seen);
  return share_.compare_exchange_strong(expected, Packed({width, seen.retry_after_s}));
}

bool Admission::Admits(const std::string& key) const {
  const std::uint32_t width = share().width;
  return width >= kBuckets || (!key.empty() && BucketOf(key) < width);
}

std::uint32_t Admission::NextRetryAfter() {
  const std::uint64_t draw = draws_.fetch_add(1, std::memory_order_relaxed);
  const std::string_view bytes(reinterpret_cast<const char*>(&draw), sizeof draw);
  const std::uint64_t base = std::max(share().retry_after_s, 1U);
  // Between the base and half as much again.
  return static_cast<std::uint32_t>(base + base * (Hash64(bytes) % 1024) / 2048);
}

Ruling Admission::Decide(const Question& question, TimePoint now) {
  if (question.is_bypassed) {
    bypassed_.fetch_add(1, std::memory_order_relaxed);
    return {.verdict = Verdict::kBypassed};
  }
  Ruling ruling;
  const std::string key = Verified(question.key);
  const bool lacks_cookie = rules_.key.kind == agent::UserKey::Kind::kCookie && key.empty();
  const bool gets_cookie = lacks_cookie && question.is_navigation;
  const bool is_limited =
      gets_cookie && question.client && !new_cookies_.Take(*question.client, now);
  if (gets_cookie && !is_limited) ruling.cookie = NewCookie(question.is_secure);
  if (Admits(key)) {
    admitted_.fetch_add(1, std::memory_order_relaxed);
    ruling.verdict = Verdict::kAdmitted;
    if (!key.empty()) ruling.bucket = BucketOf(key);
    return ruling;
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (is_limited) {
    limited_.fetch_add(1, std::memory_order_relaxed);
    return {.verdict = Verdict::kLimited, .retry_after_s = agent::kLimitedRetryAfterS};
  }
  Ruling refusal = RefusalOf(BucketOfEither(key, ruling.cookie));
  refusal.cookie = std::move(ruling.cookie);
  return refusal;
}

Ruling Admission::Refuse(const Question& question, const std::string& given) {
  return RefusalOf(BucketOfEither(Verified(question.key), given));
}

Ruling Admission::RefusalOf(std::optional<std::uint32_t> bucket) {
  const bool is_soon = bucket && *bucket < share().width;
  return {.retry_after_s = is_soon ? agent::kSoonS : NextRetryAfter(),
          .bucket = bucket,
          .is_soon = is_soon};
}

std::optional<std::uint32_t> Admission::BucketOfEither(const std::string& key,
                                                       const std::string& given) const {
  if (!key.empty()) return BucketOf(key);
  const std::string prefix = rules_.key.name + "=";
  if (!given.starts_with(prefix)) return std::nullopt;
  return BucketOf(given.substr(prefix.size(), given.find(';') - prefix.size()));
}

Decided Admission::decided() const { return {admitted_, bypassed_, refused_, limited_}; }

}  // namespace headgate::endpoint
