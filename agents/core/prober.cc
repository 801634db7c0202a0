#include "agents/core/prober.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include "agents/core/cookie.h"
#include "common/base/bucket.h"

namespace headgate::agent {
namespace {

// Of the body of the gate's own rule: "bucket=17 width=1048576 slow=500,1000".
struct Told {
  // It is of the probe's rule, whose bucket is empty if it found no key.
  bool is_probe = false;
  std::optional<std::int64_t> bucket;
  std::optional<std::int64_t> width;
  // Unset: the snippet was printed before it told them.
  std::optional<std::vector<std::uint32_t>> slow_ms;
};

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Told ParseBody(const std::string& body) {
  Told told;
  std::istringstream words(body);
  std::string word;
  while (words >> word) {
    if (word.starts_with("bucket=")) {
      told.is_probe = true;
      told.bucket = ParseNumber<std::int64_t>(word.substr(7));
    }
    if (word.starts_with("width=")) told.width = ParseNumber<std::int64_t>(word.substr(6));
    if (!word.starts_with("slow=")) continue;
    told.slow_ms.emplace();
    std::istringstream thresholds(word.substr(5));
    std::string threshold;
    while (std::getline(thresholds, threshold, ',')) {
      told.slow_ms->push_back(ParseNumber<std::uint32_t>(threshold).value_or(0));
    }
  }
  return told;
}

std::string ProbeHeader(const std::string& value) {
  return fmt::format("{}: {}", kProbeKeyHeader, value);
}

std::string HeaderFor(const UserKey& key, const std::string& value) {
  switch (key.kind) {
    case UserKey::Kind::kCookie:
      return fmt::format("Cookie: {}={}", key.name, value);
    case UserKey::Kind::kHeader:
      return fmt::format("{}: {}", key.name, value);
    case UserKey::Kind::kClientAddress:
      return ProbeHeader(value);
  }
  return "";
}

}  // namespace

Prober::Prober(std::string gate, std::string url, UserKey key, std::string unix_socket)
    : gate_(std::move(gate)),
      url_(std::move(url)),
      key_(std::move(key)),
      unix_socket_(std::move(unix_socket)) {}

absl::StatusOr<HttpAnswer> Prober::Fetch(const std::string& url, const std::string& header) const {
  return Call(
      {.url = url, .headers = {header}, .patience = kPatience, .unix_socket = unix_socket_});
}

absl::Status Prober::Try(Share share) {
  const std::uint32_t width = share.Width();
  if (!keys_ || keys_->first != width) keys_.emplace(width, FindProbeKeys(width, Hash64(gate_)));
  const ProbeKeys& keys = keys_->second;
  std::optional<CookieKeys> cookie_keys;
  {
    const std::lock_guard lock(mutex_);
    cookie_keys = cookie_keys_;
  }
  // A key that is signed cannot be searched for in any bearable time.
  const auto header = [&](const std::string& value) {
    const bool are_none = cookie_keys && cookie_keys->empty();
    return are_none ? HeaderFor(key_, value) : ProbeHeader(value);
  };
  absl::Status status = absl::OkStatus();
  if (width > 0) status = Expect(keys.inside, header(keys.inside), true, share);
  if (status.ok() && width < kBuckets) {
    status = Expect(keys.outside, header(keys.outside), false, share);
  }
  if (status.ok() && cookie_keys && !cookie_keys->empty()) {
    status = ExpectCookies(*cookie_keys, share);
  }
  return status;
}

// A cookie that is signed is a key, and one that is made up is none.
absl::Status Prober::ExpectCookies(const CookieKeys& keys, Share share) {
  for (const CookieKey& key : keys.keys) {
    const std::string cookie = SignCookie(key, "headgate-probe");
    const bool admitted = BucketOf(cookie) < share.Width();
    const absl::Status status = Expect(cookie, HeaderFor(key_, cookie), admitted, share);
    if (!status.ok()) return status;
  }
  const std::string made_up = fmt::format("{}.headgate-probe.00", keys.issuing);
  const absl::StatusOr<HttpAnswer> answer = Fetch(url_, HeaderFor(key_, made_up));
  if (!answer.ok()) return answer.status();
  if (!ParseBody(answer->body).bucket) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the load balancer takes a cookie that nobody signed for a user's key: print the snippet "
      "again and paste it");
}

void Prober::FollowKeys(const std::optional<CookieKeys>& keys) {
  const std::lock_guard lock(mutex_);
  cookie_keys_ = keys;
}

absl::Status Prober::TryWaitPage() const {
  const std::string url = url_ + kWaitProbeSuffix;
  const absl::StatusOr<HttpAnswer> answer = Fetch(url, "Accept: text/plain");
  if (!answer.ok()) return answer.status();
  // Of another gate above this one in the same frontend, too: it refuses whoever this one would.
  if (!answer->gate.empty() && answer->status == 503) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{} got {} and not the gate's waiting page: below 100 % nobody would be refused. The "
      "snippet's `use_backend` is missing, or another stands above it, or the snippet was printed "
      "by an older headgate-agent: print and paste it again, above every other rule of that "
      "frontend",
      url, answer->status));
}

std::optional<std::vector<std::uint32_t>> Prober::slow_ms() const {
  const std::lock_guard lock(mutex_);
  return slow_ms_;
}

absl::Status Prober::Expect(const std::string& key, const std::string& header, bool admitted,
                            Share share) {
  const absl::StatusOr<HttpAnswer> answer = Fetch(url_, header);
  if (!answer.ok()) return answer.status();
  const Told told = ParseBody(answer->body);
  // Of a request that is none of the probe's, the gate's rule answers with the waiting page, or
  // somebody else with something.
  if (answer->gate.empty() || (answer->gate == gate_ && !told.is_probe)) {
    return absl::FailedPreconditionError(fmt::format(
        "the probe {} was answered with {} by {}: most likely the path of probe_url is not the "
        "snippet's --probe-path (/.headgate/probe, if none was given); if it is, put the gate's "
        "snippet above every other rule of that frontend",
        url_, answer->status,
        answer->gate.empty() ? "something else than the gate's rule" : "the gate's waiting page"));
  }
  if (answer->gate != gate_) {
    return absl::FailedPreconditionError(
        fmt::format("the probe {} was answered with {} by the rule of gate '{}': put the snippet "
                    "of this gate above every other rule of that frontend, with a --probe-path of "
                    "its own",
                    url_, answer->status, answer->gate));
  }
  {
    const std::lock_guard lock(mutex_);
    slow_ms_ = told.slow_ms;
  }
  // At 0 and 100 % the status alone would be right for every key.
  if (told.bucket != BucketOf(key)) {
    return absl::FailedPreconditionError(fmt::format(
        "the load balancer puts the probe's key into bucket {}, not {}: it takes another user key "
        "than '{}', "
        "or hashes it otherwise",
        told.bucket ? std::to_string(*told.bucket) : "none", BucketOf(key), key_.ToString()));
  }
  const std::int64_t width = std::clamp<std::int64_t>(told.width.value_or(-1), -1, kBuckets);
  const long expected = admitted ? 200 : 503;
  if (width == share.Width() && answer->status == expected) return absl::OkStatus();
  std::vector<std::string> wrong;
  if (answer->status != expected) {
    wrong.push_back(fmt::format("{}, not {}", answer->status, expected));
  }
  if (width != share.Width()) {
    wrong.push_back(fmt::format("a width of {}, not {}", width, share.Width()));
  }
  return absl::FailedPreconditionError(
      fmt::format("at {} the probe with a key just {} the share got {}: the load balancer does not "
                  "enforce what it was told",
                  share.ToString(), admitted ? "inside" : "outside", fmt::join(wrong, ", and ")));
}

}  // namespace headgate::agent
