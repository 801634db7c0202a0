#include "controller/conductor/codec_proto.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/text.h"

namespace headgate::conductor {
namespace {

void EncodeVersion(const Version& version, v1::Version& proto) {
  proto.set_epoch(version.epoch);
  proto.set_revision(version.revision);
}

struct PhaseEncoder {
  v1::RestorationRecord& proto;

  void operator()(const engine::Preflight&) const { proto.mutable_preflight(); }
  void operator()(const engine::WaitingForApproval& phase) const {
    proto.mutable_waiting_for_approval()->set_step_ppm(phase.step.ppm());
  }
  void operator()(const engine::Admitting& phase) const {
    proto.mutable_admitting()->set_step_ppm(phase.step.ppm());
  }
  void operator()(const engine::Holding& phase) const;
  void operator()(const engine::Retreating& phase) const {
    proto.mutable_retreating()->set_from_ppm(phase.from.ppm());
    proto.mutable_retreating()->set_to_ppm(phase.to.ppm());
  }
  void operator()(const engine::Curing& phase) const {
    proto.mutable_curing()->set_failed_ppm(phase.failed.ppm());
    proto.mutable_curing()->set_not_before_unix_ms(UnixMillis(phase.not_before));
  }
  void operator()(const engine::Watching&) const { proto.mutable_watching(); }
  void operator()(const engine::Completed& phase) const {
    proto.mutable_completed()->set_detail(ValidUtf8(phase.detail));
  }
  void operator()(const engine::Aborted& phase) const {
    proto.mutable_aborted()->set_detail(ValidUtf8(phase.detail));
  }
  void operator()(const engine::Failed& phase) const {
    proto.mutable_failed()->set_detail(ValidUtf8(phase.detail));
  }
};

v1::HoldingPhase::Why EncodeWhy(engine::Holding::Why why) {
  switch (why) {
    case engine::Holding::Why::kOperatorAsked:
      return v1::HoldingPhase::OPERATOR_ASKED;
    case engine::Holding::Why::kCheckFailed:
      return v1::HoldingPhase::CHECK_FAILED;
    case engine::Holding::Why::kNoData:
      return v1::HoldingPhase::NO_DATA;
    case engine::Holding::Why::kRestarted:
      return v1::HoldingPhase::RESTARTED;
    case engine::Holding::Why::kRetriesExhausted:
      return v1::HoldingPhase::RETRIES_EXHAUSTED;
    case engine::Holding::Why::kAgentDiffers:
      return v1::HoldingPhase::AGENT_DIFFERS;
  }
  return v1::HoldingPhase::WHY_UNSPECIFIED;
}

void PhaseEncoder::operator()(const engine::Holding& phase) const {
  proto.mutable_holding()->set_why(EncodeWhy(phase.why));
  proto.mutable_holding()->set_detail(ValidUtf8(phase.detail));
}

v1::Cause::Kind EncodeKind(engine::Cause::Kind kind) {
  switch (kind) {
    case engine::Cause::Kind::kOperator:
      return v1::Cause::OPERATOR;
    case engine::Cause::Kind::kCheck:
      return v1::Cause::CHECK;
    case engine::Cause::Kind::kPlan:
      return v1::Cause::PLAN;
    case engine::Cause::Kind::kRecovery:
      return v1::Cause::RECOVERY;
    case engine::Cause::Kind::kAgent:
      return v1::Cause::AGENT;
  }
  return v1::Cause::KIND_UNSPECIFIED;
}

engine::Cause::Kind DecodeKind(v1::Cause::Kind kind) {
  switch (static_cast<int>(kind)) {
    case v1::Cause::OPERATOR:
      return engine::Cause::Kind::kOperator;
    case v1::Cause::CHECK:
      return engine::Cause::Kind::kCheck;
    case v1::Cause::RECOVERY:
      return engine::Cause::Kind::kRecovery;
    case v1::Cause::AGENT:
      return engine::Cause::Kind::kAgent;
    default:
      return engine::Cause::Kind::kPlan;
  }
}

// Reads fields and remembers the first one that does not fit.
class Reader {
 public:
  Share ReadShare(std::uint32_t ppm, const char* field) {
    const absl::StatusOr<Share> share = Share::FromPpm(ppm);
    if (share.ok()) return *share;
    Fail(field, std::string(share.status().message()));
    return Share::None();
  }
  engine::Holding::Why ReadWhy(v1::HoldingPhase::Why why) {
    switch (static_cast<int>(why)) {
      case v1::HoldingPhase::CHECK_FAILED:
        return engine::Holding::Why::kCheckFailed;
      case v1::HoldingPhase::NO_DATA:
        return engine::Holding::Why::kNoData;
      case v1::HoldingPhase::RESTARTED:
        return engine::Holding::Why::kRestarted;
      case v1::HoldingPhase::RETRIES_EXHAUSTED:
        return engine::Holding::Why::kRetriesExhausted;
      case v1::HoldingPhase::AGENT_DIFFERS:
        return engine::Holding::Why::kAgentDiffers;
      default:
        // Of a newer version of Headgate too: a hold that only a person ends.
        return engine::Holding::Why::kOperatorAsked;
    }
  }
  void Fail(const char* field, const std::string& why) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(fmt::format("journal record, {}: {}", field, why));
    }
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

engine::Phase DecodePhase(const v1::RestorationRecord& proto, Reader& reader) {
  switch (proto.phase_case()) {
    case v1::RestorationRecord::kPreflight:
      return engine::Preflight{};
    case v1::RestorationRecord::kWaitingForApproval:
      return engine::WaitingForApproval{
          reader.ReadShare(proto.waiting_for_approval().step_ppm(), "step_ppm")};
    case v1::RestorationRecord::kAdmitting:
      return engine::Admitting{reader.ReadShare(proto.admitting().step_ppm(), "step_ppm")};
    case v1::RestorationRecord::kHolding:
      return engine::Holding{reader.ReadWhy(proto.holding().why()), proto.holding().detail()};
    case v1::RestorationRecord::kRetreating:
      return engine::Retreating{reader.ReadShare(proto.retreating().from_ppm(), "from_ppm"),
                                reader.ReadShare(proto.retreating().to_ppm(), "to_ppm")};
    case v1::RestorationRecord::kCuring:
      return engine::Curing{reader.ReadShare(proto.curing().failed_ppm(), "failed_ppm"),
                            FromUnixMillis(proto.curing().not_before_unix_ms())};
    case v1::RestorationRecord::kWatching:
      return engine::Watching{};
    case v1::RestorationRecord::kCompleted:
      return engine::Completed{proto.completed().detail()};
    case v1::RestorationRecord::kAborted:
      return engine::Aborted{proto.aborted().detail()};
    case v1::RestorationRecord::kFailed:
      return engine::Failed{proto.failed().detail()};
    case v1::RestorationRecord::PHASE_NOT_SET:
      break;
  }
  reader.Fail("phase", "is not set");
  return engine::Aborted{};
}

v1::SearchRecord EncodeSearch(const engine::Search& search) {
  v1::SearchRecord proto;
  proto.set_changes(search.changes);
  proto.set_failed_by_load_ppm(search.failed_by_load.ppm());
  proto.set_from_ppm(search.from.ppm());
  proto.set_at_unix_ms(UnixMillis(search.at));
  proto.set_why(search.why == engine::Search::Why::kLoad   ? v1::SearchRecord::LOAD
                : search.why == engine::Search::Why::kTime ? v1::SearchRecord::TIME
                                                           : v1::SearchRecord::SHARE);
  proto.set_trusted_ppm(search.trusted.ppm());
  proto.set_cure_ms(search.cure.count());
  proto.set_failed_before_ppm(search.failed_before.ppm());
  proto.set_by_share(search.by_share);
  proto.set_by_load(search.by_load);
  proto.set_by_time(search.by_time);
  proto.set_drains(search.drains);
  proto.set_regain_ppm(search.regain.ppm());
  proto.set_on_probation(search.on_probation);
  proto.set_step_max_ppm(search.step_max.ppm());
  return proto;
}

engine::Search DecodeSearch(const v1::SearchRecord& proto, Reader& reader) {
  engine::Search search;
  search.changes = proto.changes();
  search.failed_by_load = reader.ReadShare(proto.failed_by_load_ppm(), "failed_by_load_ppm");
  search.from = reader.ReadShare(proto.from_ppm(), "from_ppm");
  search.at = FromUnixMillis(proto.at_unix_ms());
  if (proto.why() == v1::SearchRecord::LOAD) search.why = engine::Search::Why::kLoad;
  if (proto.why() == v1::SearchRecord::TIME) search.why = engine::Search::Why::kTime;
  search.trusted = reader.ReadShare(proto.trusted_ppm(), "trusted_ppm");
  search.cure = Duration(proto.cure_ms());
  search.failed_before = reader.ReadShare(proto.failed_before_ppm(), "failed_before_ppm");
  search.by_share = proto.by_share();
  search.by_load = proto.by_load();
  search.by_time = proto.by_time();
  search.drains = proto.drains();
  search.regain = reader.ReadShare(proto.regain_ppm(), "regain_ppm");
  search.on_probation = proto.on_probation();
  search.step_max = reader.ReadShare(proto.step_max_ppm(), "step_max_ppm");
  return search;
}

CookieKeys DecodeCookieKeys(const v1::CookieKeys& proto, Reader& reader) {
  CookieKeys keys;
  keys.issuing = proto.issuing();
  for (const v1::CookieKey& key : proto.keys()) {
    keys.keys.push_back({.id = key.id(), .secret = key.secret()});
  }
  if (!keys.AreSound()) reader.Fail("cookie_keys", "are not sound");
  return keys;
}

engine::Restoration DecodeRestoration(const v1::RestorationRecord& proto, engine::Plan plan,
                                      Reader& reader) {
  const bool searches = plan.spec().adaptive && proto.has_search();
  return engine::Restoration{
      .id = proto.id(),
      .plan = std::move(plan),
      .started = FromUnixMillis(proto.started_unix_ms()),
      .started_by = proto.started_by(),
      .when_ready = proto.when_ready(),
      .passed_preflight = proto.passed_preflight(),
      .phase = DecodePhase(proto, reader),
      .phase_since = FromUnixMillis(proto.phase_since_unix_ms()),
      .proven = reader.ReadShare(proto.proven_ppm(), "proven_ppm"),
      .failed = reader.ReadShare(proto.failed_ppm(), "failed_ppm"),
      .approved = reader.ReadShare(proto.approved_ppm(), "approved_ppm"),
      .retreats_in_a_row = proto.retreats_in_a_row(),
      .retreats = proto.retreats(),
      .search = searches ? DecodeSearch(proto.search(), reader) : engine::Search()};
}

}  // namespace

v1::CookieKeys EncodeCookieKeys(const CookieKeys& keys) {
  v1::CookieKeys proto;
  proto.set_issuing(keys.issuing);
  for (const CookieKey& key : keys.keys) {
    v1::CookieKey& added = *proto.add_keys();
    added.set_id(key.id);
    added.set_secret(key.secret);
  }
  return proto;
}

v1::Cause EncodeCause(const engine::Cause& cause) {
  v1::Cause proto;
  proto.set_kind(EncodeKind(cause.kind));
  // One byte that is no UTF-8 would make the record unreadable at the next start.
  proto.set_who(ValidUtf8(cause.who));
  proto.set_what(ValidUtf8(cause.what));
  proto.set_why(ValidUtf8(cause.why));
  proto.set_request_id(cause.request_id);
  for (const std::string& line : cause.evidence) proto.add_evidence(ValidUtf8(line));
  return proto;
}

v1::RestorationRecord EncodeRestoration(const engine::Restoration& restoration) {
  v1::RestorationRecord proto;
  proto.set_id(restoration.id);
  // The plan's source is what the plan room serialised from this very message.
  proto.mutable_plan()->ParseFromString(restoration.plan.spec().source);
  proto.set_started_unix_ms(UnixMillis(restoration.started));
  proto.set_phase_since_unix_ms(UnixMillis(restoration.phase_since));
  proto.set_started_by(restoration.started_by);
  proto.set_when_ready(restoration.when_ready);
  proto.set_passed_preflight(restoration.passed_preflight);
  proto.set_proven_ppm(restoration.proven.ppm());
  proto.set_failed_ppm(restoration.failed.ppm());
  proto.set_approved_ppm(restoration.approved.ppm());
  proto.set_retreats_in_a_row(restoration.retreats_in_a_row);
  proto.set_retreats(restoration.retreats);
  if (restoration.plan.spec().adaptive) {
    *proto.mutable_search() = EncodeSearch(restoration.search);
  }
  std::visit(PhaseEncoder{proto}, restoration.phase);
  return proto;
}

v1::GateRecord EncodeGate(const engine::GateRecord& record) {
  v1::GateRecord proto;
  proto.set_gate(record.gate);
  EncodeVersion(record.version, *proto.mutable_version());
  proto.set_share_ppm(record.share.ppm());
  proto.set_no_raise(record.no_raise);
  if (record.open_until) proto.set_open_until_unix_ms(UnixMillis(*record.open_until));
  proto.set_share_before_open_ppm(record.share_before_open.ppm());
  if (record.restoration) *proto.mutable_restoration() = EncodeRestoration(*record.restoration);
  for (const std::string& id : record.request_ids) proto.add_request_ids(id);
  if (!record.cookie_keys.empty()) {
    *proto.mutable_cookie_keys() = EncodeCookieKeys(record.cookie_keys);
  }
  proto.mutable_labels()->insert(record.labels.begin(), record.labels.end());
  proto.set_removed(record.is_removed);
  proto.mutable_agents()->Assign(record.agents.begin(), record.agents.end());
  proto.mutable_removed_agents()->Assign(record.removed.begin(), record.removed.end());
  return proto;
}

engine::Cause DecodeCause(const v1::Cause& proto) {
  engine::Cause cause{.kind = DecodeKind(proto.kind()),
                      .who = proto.who(),
                      .what = proto.what(),
                      .why = proto.why(),
                      .request_id = proto.request_id()};
  cause.evidence.assign(proto.evidence().begin(), proto.evidence().end());
  return cause;
}

absl::StatusOr<engine::GateRecord> DecodeGate(const v1::GateRecord& proto,
                                              const PlanFromProto& plan_from_proto) {
  Reader reader;
  engine::GateRecord record;
  record.gate = proto.gate();
  record.version = {proto.version().epoch(), proto.version().revision()};
  record.share = reader.ReadShare(proto.share_ppm(), "share_ppm");
  record.no_raise = proto.no_raise();
  if (proto.open_until_unix_ms() != 0) {
    record.open_until = FromUnixMillis(proto.open_until_unix_ms());
  }
  record.share_before_open =
      reader.ReadShare(proto.share_before_open_ppm(), "share_before_open_ppm");
  if (proto.has_restoration()) {
    absl::StatusOr<engine::Plan> plan = plan_from_proto(proto.restoration().plan());
    if (!plan.ok()) return plan.status();
    record.restoration = DecodeRestoration(proto.restoration(), *std::move(plan), reader);
  }
  record.request_ids.assign(proto.request_ids().begin(), proto.request_ids().end());
  record.labels.insert(proto.labels().begin(), proto.labels().end());
  record.is_removed = proto.removed();
  record.agents.insert(proto.agents().begin(), proto.agents().end());
  record.removed.insert(proto.removed_agents().begin(), proto.removed_agents().end());
  if (proto.has_cookie_keys()) record.cookie_keys = DecodeCookieKeys(proto.cookie_keys(), reader);
  if (!reader.status().ok()) return reader.status();
  return record;
}

}  // namespace headgate::conductor
