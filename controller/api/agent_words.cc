#include "controller/api/agent_words.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <utility>

#include "common/base/text.h"
#include "controller/conductor/codec_proto.h"
#include "controller/engine/names.h"

namespace headgate::api {
namespace {

using google::protobuf::util::TimeUtil;

std::string Cut(const std::string& text) { return CutUtf8(text, kAgentTextBytesMax); }

Version FromProto(const v1::Version& proto) { return {proto.epoch(), proto.revision()}; }

fleet::Stage FromProto(v1::Stage stage) {
  switch (static_cast<int>(stage)) {
    case v1::IDLE:
      return fleet::Stage::kIdle;
    case v1::RECEIVED:
      return fleet::Stage::kReceived;
    case v1::APPLIED:
      return fleet::Stage::kApplied;
    case v1::OBSERVED:
      return fleet::Stage::kObserved;
    default:
      // What we do not know is no obedience.
      return fleet::Stage::kRefused;
  }
}

v1::Stage ToProto(fleet::Stage stage) {
  switch (stage) {
    case fleet::Stage::kIdle:
      return v1::IDLE;
    case fleet::Stage::kReceived:
      return v1::RECEIVED;
    case fleet::Stage::kApplied:
      return v1::APPLIED;
    case fleet::Stage::kObserved:
      return v1::OBSERVED;
    case fleet::Stage::kRefused:
      return v1::REFUSED;
  }
  return v1::REFUSED;
}

absl::Status CheckGateName(const std::string& name) {
  if (engine::IsGateName(name)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{:?} is no gate's name: it has {}", CutUtf8(name, 80), engine::kGateNameRule));
}

absl::Status ReadOverride(const v1::LocalOverride& proto, fleet::GateReport& report) {
  absl::StatusOr<Share> share = Share::FromPpm(proto.share_ppm());
  if (!share.ok()) return share.status();
  report.local_override = {.is_ceiling = proto.is_ceiling(), .share = *share, .until = {}};
  if (proto.has_until()) {
    report.local_override->until = FromUnixMillis(TimeUtil::TimestampToMilliseconds(proto.until()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<fleet::GateReport> FromProto(const v1::Report& proto) {
  if (absl::Status status = CheckGateName(proto.gate()); !status.ok()) return status;
  absl::StatusOr<Share> enforced = Share::FromPpm(proto.enforced_ppm());
  if (!enforced.ok()) return enforced.status();
  if (proto.slow_thresholds_ms_size() > int(kSlowThresholdsMax)) {
    return absl::InvalidArgumentError(fmt::format(
        "{} slow thresholds, at most {}", proto.slow_thresholds_ms_size(), kSlowThresholdsMax));
  }
  fleet::GateReport report{.gate = proto.gate(),
                           .version = FromProto(proto.version()),
                           .digest = proto.digest(),
                           .stage = FromProto(proto.stage()),
                           .enforced = *enforced,
                           .unsaved = proto.unsaved(),
                           .expired = proto.expired(),
                           .admit_by = Cut(proto.admit_by()),
                           .trouble = Cut(proto.trouble())};
  report.slow_thresholds_ms.assign(proto.slow_thresholds_ms().begin(),
                                   proto.slow_thresholds_ms().end());
  if (proto.has_refusal()) {
    report.refusal = {.code = static_cast<int>(proto.refusal().code()),
                      .detail = Cut(proto.refusal().detail()),
                      .refused = FromProto(proto.refusal().refused()),
                      .highest_seen = FromProto(proto.refusal().highest_seen())};
  }
  if (proto.has_override()) {
    if (absl::Status status = ReadOverride(proto.override(), report); !status.ok()) return status;
  }
  return report;
}

absl::StatusOr<fleet::Hello> FromProto(const v1::Hello& proto) {
  if (proto.protocol() != 1) {
    return absl::FailedPreconditionError(fmt::format(
        "the agent speaks protocol {}, this controller 1: install the same version on both",
        proto.protocol()));
  }
  if (proto.boot_id().empty() || proto.boot_id().size() > 64) {
    return absl::InvalidArgumentError("boot_id must have 1 to 64 characters");
  }
  if (proto.gates_size() > int(kGatesPerAgentMax) || proto.labels_size() > 32) {
    return absl::InvalidArgumentError(fmt::format("{} gates and {} labels, at most {} and 32",
                                                  proto.gates_size(), proto.labels_size(),
                                                  kGatesPerAgentMax));
  }
  fleet::Hello hello{.boot_id = proto.boot_id(),
                     .software_version = Cut(proto.software_version()),
                     .load_balancer = Cut(proto.load_balancer())};
  for (const auto& [key, value] : proto.labels()) hello.labels[Cut(key)] = Cut(value);
  for (const v1::Report& gate : proto.gates()) {
    absl::StatusOr<fleet::GateReport> report = FromProto(gate);
    if (!report.ok()) return report.status();
    hello.gates.push_back(*std::move(report));
  }
  return hello;
}

absl::StatusOr<fleet::CountersPush> FromProto(const v1::Counters& proto) {
  if (proto.gates_size() > int(kGatesPerAgentMax) || proto.boot_id().size() > 64) {
    return absl::InvalidArgumentError(
        fmt::format("counters of {} gates, at most {}", proto.gates_size(), kGatesPerAgentMax));
  }
  fleet::CountersPush push{.boot_id = proto.boot_id(), .sequence = proto.sequence(), .gates = {}};
  for (const v1::GateCounters& gate : proto.gates()) {
    if (gate.slow_size() > int(kSlowThresholdsMax)) {
      return absl::InvalidArgumentError(
          fmt::format("{} slow counts, at most {}", gate.slow_size(), kSlowThresholdsMax));
    }
    fleet::GateTotals totals{.gate = gate.gate(),
                             .admitted = gate.admitted(),
                             .http_5xx = gate.http_5xx(),
                             .connection_errors = gate.connection_errors(),
                             .refused = gate.refused(),
                             .bypassed = gate.bypassed(),
                             .slower_than_ms = {},
                             .live = gate.live()};
    for (const v1::SlowCount& slow : gate.slow()) {
      totals.slower_than_ms[slow.slower_than_ms()] = slow.count();
    }
    push.gates.push_back(std::move(totals));
  }
  return push;
}

v1::Report ToProto(const fleet::GateReport& report) {
  v1::Report proto;
  proto.set_gate(report.gate);
  proto.mutable_version()->set_epoch(report.version.epoch);
  proto.mutable_version()->set_revision(report.version.revision);
  proto.set_digest(report.digest);
  proto.set_stage(ToProto(report.stage));
  proto.set_enforced_ppm(report.enforced.ppm());
  proto.set_unsaved(report.unsaved);
  proto.set_expired(report.expired);
  proto.set_admit_by(report.admit_by);
  proto.set_trouble(report.trouble);
  for (const std::uint32_t threshold : report.slow_thresholds_ms) {
    proto.add_slow_thresholds_ms(threshold);
  }
  if (report.refusal) {
    v1::Refusal& refusal = *proto.mutable_refusal();
    if (v1::Refusal::Code_IsValid(report.refusal->code)) {
      refusal.set_code(static_cast<v1::Refusal::Code>(report.refusal->code));
    }
    refusal.set_detail(report.refusal->detail);
    refusal.mutable_refused()->set_epoch(report.refusal->refused.epoch);
    refusal.mutable_refused()->set_revision(report.refusal->refused.revision);
    refusal.mutable_highest_seen()->set_epoch(report.refusal->highest_seen.epoch);
    refusal.mutable_highest_seen()->set_revision(report.refusal->highest_seen.revision);
  }
  if (report.local_override) {
    v1::LocalOverride& local = *proto.mutable_override();
    local.set_is_ceiling(report.local_override->is_ceiling);
    local.set_share_ppm(report.local_override->share.ppm());
    if (report.local_override->until) {
      *local.mutable_until() =
          TimeUtil::MillisecondsToTimestamp(UnixMillis(*report.local_override->until));
    }
  }
  return proto;
}

v1::Directive ToProto(const Directive& directive, const Outlook& outlook, Duration valid_for) {
  v1::Directive proto;
  proto.set_gate(directive.gate);
  proto.mutable_version()->set_epoch(directive.version.epoch);
  proto.mutable_version()->set_revision(directive.version.revision);
  proto.set_digest(DigestOf(directive));
  proto.set_share_ppm(directive.share.ppm());
  proto.set_no_raise(directive.no_raise);
  proto.set_retry_after_s(directive.retry_after_s);
  *proto.mutable_valid_for() = TimeUtil::MillisecondsToDuration(valid_for.count());
  if (!directive.cookie_keys.empty()) {
    *proto.mutable_cookie_keys() = conductor::EncodeCookieKeys(directive.cookie_keys);
  }
  for (const Return& told : outlook.returns) {
    v1::Return& one = *proto.mutable_outlook()->add_returns();
    one.set_share_ppm(told.share.ppm());
    if (told.at) {
      *one.mutable_expected_at() = TimeUtil::MillisecondsToTimestamp(UnixMillis(*told.at));
    }
  }
  return proto;
}

}  // namespace headgate::api
