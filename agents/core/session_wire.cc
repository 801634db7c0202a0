#include "agents/core/session_wire.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <string_view>
#include <utility>

namespace headgate::agent {
namespace {

using google::protobuf::util::TimeUtil;

constexpr std::uint32_t kProtocol = 1;
constexpr std::uint32_t kRetryAfterSecondsMax = 3600;
constexpr Duration kValidForMax = std::chrono::minutes(5);

void Fill(const Version& version, v1::Version& message) {
  message.set_epoch(version.epoch);
  message.set_revision(version.revision);
}

CookieKeys CookieKeysFrom(const v1::CookieKeys& message) {
  CookieKeys keys;
  keys.issuing = message.issuing();
  for (const v1::CookieKey& key : message.keys()) {
    keys.keys.push_back({.id = key.id(), .secret = key.secret()});
  }
  return keys;
}

// One that is not sound is none: it must not keep a directive from being obeyed.
Outlook OutlookFrom(const v1::Outlook& message) {
  Outlook outlook;
  for (const v1::Return& told : message.returns()) {
    const auto share = Share::FromPpm(told.share_ppm());
    if (!share.ok()) return {};
    Return& one = outlook.returns.emplace_back(Return{*share, std::nullopt});
    if (told.has_expected_at()) {
      one.at = FromUnixMillis(TimeUtil::TimestampToMilliseconds(told.expected_at()));
    }
  }
  return IsSound(outlook) ? outlook : Outlook();
}

v1::Stage From(Stage stage) {
  switch (stage) {
    case Stage::kIdle:
      return v1::IDLE;
    case Stage::kReceived:
      return v1::RECEIVED;
    case Stage::kApplied:
      return v1::APPLIED;
    case Stage::kObserved:
      return v1::OBSERVED;
    case Stage::kRefused:
      return v1::REFUSED;
  }
  return v1::STAGE_UNSPECIFIED;
}

v1::Refusal::Code From(RefusalCode code) {
  switch (code) {
    case RefusalCode::kStaleVersion:
      return v1::Refusal::STALE_VERSION;
    case RefusalCode::kStaleEpoch:
      return v1::Refusal::STALE_EPOCH;
    case RefusalCode::kDigestMismatch:
      return v1::Refusal::DIGEST_MISMATCH;
    case RefusalCode::kCorrupt:
      return v1::Refusal::CORRUPT;
    case RefusalCode::kRail:
      return v1::Refusal::RAIL;
    case RefusalCode::kDisk:
      return v1::Refusal::DISK;
    case RefusalCode::kLoadBalancer:
      return v1::Refusal::LOAD_BALANCER;
    case RefusalCode::kUnknownGate:
      return v1::Refusal::UNKNOWN_GATE;
  }
  return v1::Refusal::CODE_UNSPECIFIED;
}

// Who shows a report shows the refusal and the trouble together: what one says the other does not
// repeat.
std::string WithoutRefusal(std::string trouble, const std::optional<Refusal>& refusal) {
  constexpr std::string_view kBetween = "; ";
  if (!refusal || refusal->detail.empty()) return trouble;
  const std::size_t at = trouble.find(refusal->detail);
  if (at == std::string::npos) return trouble;
  const std::size_t end = at + refusal->detail.size();
  const bool is_first = at == 0;
  const bool is_last = end == trouble.size();
  // A part of a longer sentence stays.
  const bool begins = is_first || std::string_view(trouble).substr(0, at).ends_with(kBetween);
  const bool ends = is_last || std::string_view(trouble).substr(end).starts_with(kBetween);
  if (!begins || !ends) return trouble;
  const std::size_t from = is_last && !is_first ? at - kBetween.size() : at;
  return trouble.erase(from, (is_last ? end : end + kBetween.size()) - from);
}

}  // namespace

v1::Report ReportFrom(const GateWord& word) {
  const Standing& standing = word.standing;
  v1::Report report;
  report.set_gate(standing.gate);
  Fill(standing.version, *report.mutable_version());
  report.set_digest(standing.digest);
  report.set_stage(From(standing.stage));
  report.set_enforced_ppm(standing.enforced.ppm());
  report.set_unsaved(standing.unsaved);
  report.set_expired(standing.expired);
  report.set_trouble(WithoutRefusal(standing.trouble, standing.refusal));
  report.set_admit_by(word.description.admit_by);
  for (const std::uint32_t ms : word.description.slow_thresholds_ms) {
    report.add_slow_thresholds_ms(ms);
  }
  if (standing.refusal) {
    v1::Refusal& refusal = *report.mutable_refusal();
    refusal.set_code(From(standing.refusal->code));
    refusal.set_detail(standing.refusal->detail);
    Fill(standing.refusal->refused, *refusal.mutable_refused());
    Fill(standing.refusal->highest_seen, *refusal.mutable_highest_seen());
  }
  if (standing.local_override) {
    v1::LocalOverride& local = *report.mutable_override();
    local.set_is_ceiling(standing.local_override->is_ceiling);
    local.set_share_ppm(standing.local_override->share.ppm());
    if (standing.local_override->until) {
      *local.mutable_until() =
          TimeUtil::MillisecondsToTimestamp(UnixMillis(*standing.local_override->until));
    }
  }
  return report;
}

v1::Hello HelloFrom(const Self& self, const std::vector<GateWord>& words) {
  v1::Hello hello;
  hello.set_protocol(kProtocol);
  hello.set_boot_id(self.boot_id);
  hello.set_software_version(HEADGATE_VERSION);
  for (const auto& [name, value] : self.labels) (*hello.mutable_labels())[name] = value;
  for (const GateWord& word : words) {
    if (hello.load_balancer().empty()) hello.set_load_balancer(word.description.load_balancer);
    *hello.add_gates() = ReportFrom(word);
  }
  if (hello.load_balancer().empty()) hello.set_load_balancer(self.load_balancer);
  return hello;
}

v1::Counters CountersFrom(const Self& self, std::uint64_t sequence,
                          const std::vector<GateWord>& words) {
  v1::Counters counters;
  counters.set_boot_id(self.boot_id);
  counters.set_sequence(sequence);
  for (const GateWord& word : words) {
    v1::GateCounters& gate = *counters.add_gates();
    gate.set_gate(word.standing.gate);
    gate.set_admitted(word.counters.admitted);
    gate.set_http_5xx(word.counters.http_5xx);
    gate.set_connection_errors(word.counters.connection_errors);
    gate.set_refused(word.counters.refused);
    gate.set_bypassed(word.counters.bypassed);
    gate.set_live(word.counters.live);
    for (const auto& [threshold_ms, count] : word.counters.slow) {
      v1::SlowCount& slow = *gate.add_slow();
      slow.set_slower_than_ms(threshold_ms);
      slow.set_count(count);
    }
  }
  return counters;
}

v1::Report RefusalOf(const v1::Directive& directive, RefusalCode code, const std::string& why) {
  v1::Report report;
  report.set_gate(directive.gate());
  report.set_stage(v1::REFUSED);
  report.mutable_refusal()->set_code(From(code));
  report.mutable_refusal()->set_detail(why);
  *report.mutable_refusal()->mutable_refused() = directive.version();
  return report;
}

absl::StatusOr<Offer> OfferFrom(const v1::Directive& message) {
  const auto share = Share::FromPpm(message.share_ppm());
  if (!share.ok()) return share.status();
  if (message.retry_after_s() < 1 || message.retry_after_s() > kRetryAfterSecondsMax) {
    return absl::InvalidArgumentError(fmt::format("retry_after_s {} is not within 1 to {}",
                                                  message.retry_after_s(), kRetryAfterSecondsMax));
  }
  // Of far more seconds the milliseconds are no number.
  constexpr std::int64_t kSecondsMax = 1'000'000;
  const std::int64_t seconds = message.valid_for().seconds();
  const bool is_number = seconds >= 0 && seconds <= kSecondsMax && message.valid_for().nanos() >= 0;
  const Duration valid_for(is_number ? TimeUtil::DurationToMilliseconds(message.valid_for()) : 0);
  if (valid_for.count() <= 0 || valid_for > kValidForMax) {
    return absl::InvalidArgumentError(fmt::format("valid_for {} ms is not within 1 ms to {} ms",
                                                  valid_for.count(), kValidForMax.count()));
  }
  if (message.version().revision() == 0) {
    return absl::InvalidArgumentError("revision 0: a gate's directives count from 1");
  }
  const CookieKeys cookie_keys = CookieKeysFrom(message.cookie_keys());
  if (message.has_cookie_keys() && !cookie_keys.AreSound()) {
    return absl::InvalidArgumentError(
        fmt::format("the cookie keys are not sound: 1 to {}, each with an id of its own and {} "
                    "bytes, the issuing one among them",
                    kCookieKeysMax, kCookieSecretBytes));
  }
  Offer offer;
  offer.directive = {.gate = message.gate(),
                     .version = {message.version().epoch(), message.version().revision()},
                     .share = *share,
                     .no_raise = message.no_raise(),
                     .retry_after_s = message.retry_after_s(),
                     .cookie_keys = cookie_keys};
  offer.digest = message.digest();
  offer.valid_for = valid_for;
  offer.outlook = OutlookFrom(message.outlook());
  return offer;
}

}  // namespace headgate::agent
