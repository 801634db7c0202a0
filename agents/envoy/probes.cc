#include "agents/envoy/probes.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/core/http_call.h"
#include "agents/core/prober.h"
#include "common/base/bucket.h"

namespace headgate::envoy {
namespace {

constexpr Duration kRequestPatience{400};

std::string HeaderFor(const agent::UserKey& key, const std::string& value) {
  switch (key.kind) {
    case agent::UserKey::Kind::kCookie:
      return fmt::format("Cookie: {}={}", key.name, value);
    case agent::UserKey::Kind::kHeader:
      return fmt::format("{}: {}", key.name, value);
    case agent::UserKey::Kind::kClientAddress:
      return fmt::format("{}: {}", agent::kProbeKeyHeader, value);
  }
  return "";
}

std::string FirstWord(const std::string& body) { return body.substr(0, body.find_first_of(" \n")); }

}  // namespace

Probes::Probes(std::string gate, std::string url, agent::UserKey key)
    : gate_(std::move(gate)), url_(std::move(url)), key_(std::move(key)) {}

absl::Status Probes::Try(Share share) {
  const std::uint32_t width = share.Width();
  if (!keys_ || keys_->first != width) {
    keys_.emplace(width, agent::FindProbeKeys(width, Hash64(gate_)));
  }
  const agent::ProbeKeys& keys = keys_->second;
  const TimePoint until = SteadyClock().Now() + kPatience;
  if (width > 0) {
    const absl::Status status = Expect("", keys.inside, true, until);
    if (!status.ok()) return status;
  }
  if (width < kBuckets) {
    const absl::Status status = Expect("", keys.outside, false, until);
    if (!status.ok()) return status;
  }
  return TryHalf(until);
}

absl::Status Probes::TryHalf(TimePoint until) const {
  int inside = 0;
  int outside = 0;
  for (int i = 0; inside < kPairs || outside < kPairs; ++i) {
    const std::string key = fmt::format("headgate-probe-{}", i);
    const bool is_inside = BucketOf(key) < kBuckets / 2;
    int& tried = is_inside ? inside : outside;
    if (tried == kPairs) continue;
    ++tried;
    const absl::Status status = Expect(kHalfSuffix, key, is_inside, until);
    if (absl::IsAborted(status)) {
      return absl::FailedPreconditionError(fmt::format(
          "Envoy does not choose by XXH64 of '{}': `use_hash_policy: true` or the hash_policy is "
          "missing in the gate's routes, so that each request is drawn anew, or Envoy is older "
          "than 1.36. Paste the gate's routes again",
          key_.ToString()));
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// ABORTED: the gate's rule answered, otherwise than it should.
absl::Status Probes::Expect(const std::string& suffix, const std::string& key, bool inside,
                            TimePoint until) const {
  const Duration left = until - SteadyClock().Now();
  if (left.count() <= 0) {
    return absl::DeadlineExceededError(fmt::format("the probes {} take too long", url_));
  }
  const auto answer = agent::Call({.url = url_ + suffix,
                                   .headers = {HeaderFor(key_, key)},
                                   .patience = std::min(left, kRequestPatience)});
  if (!answer.ok()) return answer.status();
  const std::string word = FirstWord(answer->body);
  const bool is_probe = word == kInside || word == kOutside || word == kNoKey;
  if (answer->gate != gate_ || !is_probe) {
    return absl::FailedPreconditionError(fmt::format(
        "the probe {}{} was answered with {} by {}: most likely the path of probe_url is not the "
        "snippet's --probe-path (/.headgate/probe, if none was given); if it is, put the gate's "
        "routes above every other route of that virtual host, and its filters above every other",
        url_, suffix, answer->status,
        answer->gate.empty()
            ? "something else than the gate's routes"
            : fmt::format("gate '{}'{}", answer->gate, is_probe ? "" : "'s waiting page")));
  }
  if (word == kNoKey) {
    return absl::FailedPreconditionError(
        fmt::format("Envoy finds no key in the probe: the gate's routes take another user key than "
                    "'{}', which the agent's configuration names",
                    key_.ToString()));
  }
  if (word == (inside ? kInside : kOutside)) return absl::OkStatus();
  return absl::AbortedError(
      fmt::format("the probe with a key just {} the share was {}: Envoy does not enforce what it "
                  "was told",
                  inside ? "inside" : "outside", inside ? "refused" : "admitted"));
}

absl::Status Probes::TryWaitPage() const {
  const std::string url = url_ + agent::kWaitProbeSuffix;
  const auto answer = agent::Call({.url = url, .headers = {"Accept: text/plain"}});
  if (!answer.ok()) return answer.status();
  if (answer->gate == gate_ && answer->status == 503) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{} got {} and not the gate's waiting page: refused users would not get it either. Put the "
      "filter headgate.{} above every other HTTP filter, and the gate's routes above every other "
      "route of that virtual host",
      url, answer->status, gate_));
}

}  // namespace headgate::envoy
