#include "controller/api/view.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <variant>

#include "common/base/gate_name.h"
#include "common/base/rounded.h"
#include "controller/api/agent_words.h"
#include "controller/conductor/codec_proto.h"
#include "controller/engine/explain.h"

namespace headgate::api {
namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Timestamp ToProto(TimePoint at) {
  return TimeUtil::MillisecondsToTimestamp(UnixMillis(at));
}

void SetVersion(const Version& version, v1::Version& proto) {
  proto.set_epoch(version.epoch);
  proto.set_revision(version.revision);
}

v1::Phase ToProto(const engine::Phase& phase) {
  // In the order of the variant.
  static constexpr v1::Phase kPhases[] = {v1::PHASE_PREFLIGHT,  v1::PHASE_WAITING_FOR_APPROVAL,
                                          v1::PHASE_ADMITTING,  v1::PHASE_HOLDING,
                                          v1::PHASE_RETREATING, v1::PHASE_CURING,
                                          v1::PHASE_WATCHING,   v1::PHASE_COMPLETED,
                                          v1::PHASE_ABORTED,    v1::PHASE_FAILED};
  static_assert(std::variant_size_v<engine::Phase> == std::size(kPhases));
  return kPhases[phase.index()];
}

v1::Verdict ToProto(engine::Verdict verdict) {
  switch (verdict) {
    case engine::Verdict::kHealthy:
      return v1::HEALTHY;
    case engine::Verdict::kDegraded:
      return v1::DEGRADED;
    case engine::Verdict::kFailed:
      return v1::FAILED;
    case engine::Verdict::kUnknown:
      return v1::UNKNOWN;
  }
  return v1::UNKNOWN;
}

v1::CheckState ToProto(const std::string& name, const engine::Judgement& judgement) {
  v1::CheckState proto;
  proto.set_name(name);
  proto.set_verdict(ToProto(judgement.verdict));
  if (judgement.unknown_why == engine::UnknownWhy::kNoData) {
    proto.set_unknown_why(v1::CheckState::NO_DATA);
  } else if (judgement.unknown_why == engine::UnknownWhy::kTooFew) {
    proto.set_unknown_why(judgement.unproven.empty() ? v1::CheckState::TOO_FEW
                                                     : v1::CheckState::NOT_PROVEN);
    proto.set_proven(judgement.unproven);
  }
  proto.set_value(judgement.value);
  proto.set_bound(judgement.bound);
  proto.set_detail(RoundDurations(judgement.detail));
  if (judgement.age) {
    *proto.mutable_age() = TimeUtil::MillisecondsToDuration(judgement.age->count());
  }
  for (const std::string& finding : judgement.findings) proto.add_findings(finding);
  for (const std::string& note : judgement.notes) proto.add_notes(note);
  return proto;
}

// Of a restoration that has ended: nobody asks, so that silence says nothing.
v1::CheckState NotWatched(const std::string& name, const engine::Judgement& judgement) {
  v1::CheckState proto;
  proto.set_name(name);
  proto.set_bound(judgement.bound);
  proto.set_not_watched(true);
  return proto;
}

// A record that is merely under way, which takes milliseconds, is nobody's business.
constexpr Duration kRecordingMax{1'000};
constexpr std::string_view kNotInTheJournal = "the last decision is not in the journal yet";

bool IsRecordLate(const conductor::Conductor& conductor, const engine::Gate& gate) {
  return !conductor.state().journal_trouble.empty() ||
         conductor.now() - gate.changed > kRecordingMax;
}

// Versions are for machines: who looks wants to know which share is yet to be proven, and where.
std::string WaitText(const std::string& wait, Share share) {
  constexpr std::string_view kAgent = "agent ";
  if (wait == kNotInTheJournal) return "the journal, to record the last decision";
  if (wait.starts_with(kAgent)) {
    const std::size_t end = std::min(wait.find(' ', kAgent.size()), wait.size());
    const std::string_view what = std::string_view(wait).substr(end);
    if (what.starts_with(" has version ") || what == " has not observed its share yet") {
      return fmt::format("{} to prove {}", wait.substr(kAgent.size(), end - kAgent.size()),
                         share.ToString());
    }
  }
  return RoundDurations(wait);
}

v1::Restoration ViewRestoration(const conductor::Conductor& conductor, const engine::Gate& gate,
                                const engine::Explanation& explanation) {
  const engine::Restoration& restoration = *gate.record.restoration;
  v1::Restoration proto;
  proto.set_id(restoration.id);
  proto.set_phase(ToProto(restoration.phase));
  *proto.mutable_phase_since() = ToProto(restoration.phase_since);
  *proto.mutable_started_at() = ToProto(restoration.started);
  proto.set_started_by(restoration.started_by);
  *proto.mutable_record() = conductor::EncodeRestoration(restoration);
  // Once is enough.
  proto.mutable_plan()->Swap(proto.mutable_record()->mutable_plan());
  proto.mutable_record()->clear_plan();
  proto.set_doing(RoundDurations(explanation.doing));
  for (const std::string& wait : explanation.waits_for) {
    if (wait == kNotInTheJournal && !IsRecordLate(conductor, gate)) continue;
    proto.add_waits_for(WaitText(wait, gate.record.share));
  }
  for (const auto& [name, judgement] : explanation.checks) {
    const bool is_silent =
        engine::HasEnded(restoration) && judgement.verdict == engine::Verdict::kUnknown;
    *proto.add_checks() = is_silent ? NotWatched(name, judgement) : ToProto(name, judgement);
  }
  proto.set_next_ppm(explanation.next.ppm());
  return proto;
}

// What its load balancer enforces is known: while it is idle it touches nothing and knows nothing,
// and where it refuses, what it says of its load balancer may be the very thing that is wrong.
bool TellsShare(const v1::Agent& agent) {
  const v1::Stage stage = agent.report().stage();
  return agent.connected() && stage != v1::STAGE_UNSPECIFIED && stage != v1::IDLE &&
         stage != v1::REFUSED;
}

v1::Agent ViewAgent(const conductor::Conductor& conductor, const engine::Gate& gate,
                    const std::string& name) {
  v1::Agent proto;
  proto.set_name(name);
  const fleet::Agent* agent = conductor.fleet().Find(name);
  // The plan names it, and it has not connected since this controller started.
  if (agent == nullptr) return proto;
  proto.set_connected(agent->IsConnected(conductor.now()));
  *proto.mutable_last_seen() = ToProto(agent->last_seen);
  proto.set_load_balancer(agent->hello.load_balancer);
  proto.set_software_version(agent->hello.software_version);
  for (const auto& [key, value] : agent->hello.labels) (*proto.mutable_labels())[key] = value;
  const auto report = agent->gates.find(gate.record.gate);
  if (report != agent->gates.end()) {
    *proto.mutable_report() = api::ToProto(report->second);
    if (agent->HasRival(conductor.now())) {
      proto.mutable_report()->set_trouble(fleet::RivalText(*agent));
    }
  }
  proto.set_requests_per_second(engine::RequestsPerSecond(gate.evidence, name));
  proto.set_weight_ppm(engine::WeightPpmOf(gate, name));
  proto.set_implausible_counts(agent->implausible_counts);
  return proto;
}

void AddAgents(const conductor::Conductor& conductor, const engine::Gate& gate, v1::Gate& proto) {
  std::set<std::string> names = engine::ExpectedAgents(gate);
  for (const auto& [name, agent] : conductor.fleet().agents()) {
    if (agent.gates.contains(gate.record.gate)) names.insert(name);
  }
  std::uint32_t smallest = Share::kPpmMax;
  std::uint32_t largest = 0;
  std::size_t known = 0;
  for (const std::string& name : names) {
    const v1::Agent& agent = *proto.add_agents() = ViewAgent(conductor, gate, name);
    if (!TellsShare(agent)) continue;
    ++known;
    smallest = std::min(smallest, agent.report().enforced_ppm());
    largest = std::max(largest, agent.report().enforced_ppm());
  }
  std::size_t expected = names.size();
  if (gate.record.restoration) {
    const std::size_t planned = gate.record.restoration->plan.spec().agent_count;
    expected = std::max(expected, planned - std::min(planned, gate.record.removed.size()));
  }
  proto.set_agents_expected(static_cast<std::uint32_t>(expected));
  proto.set_agents_unknown(static_cast<std::uint32_t>(expected - known));
  if (known == 0) return;
  proto.set_observed(true);
  proto.set_observed_min_ppm(smallest);
  proto.set_observed_max_ppm(largest);
}

void AddRecording(const conductor::Conductor& conductor, const engine::Gate& gate,
                  v1::Gate& proto) {
  *proto.mutable_as_of() = ToProto(conductor.now());
  proto.set_recorded(gate.recorded);
  if (gate.recorded) return;
  proto.set_record_trouble(conductor.state().journal_trouble);
  // What waits with a raise is not in force.
  if (gate.pending) return;
  const Duration waited = std::max(conductor.now() - gate.changed, Duration(0));
  *proto.mutable_unrecorded_for() = TimeUtil::MillisecondsToDuration(waited.count());
}

}  // namespace

v1::Controller ViewController(const conductor::Conductor& conductor) {
  v1::Controller proto;
  proto.set_software_version(HEADGATE_VERSION);
  proto.set_epoch(conductor.state().epoch);
  *proto.mutable_started_at() = ToProto(conductor.started());
  proto.set_journal_trouble(conductor.state().journal_trouble);
  proto.set_agents_connected(
      static_cast<std::uint32_t>(conductor.fleet().Connected(conductor.now())));
  return proto;
}

v1::Gate ViewGate(const conductor::Conductor& conductor, const std::string& name) {
  const engine::Gate& gate = conductor.state().gates.at(name);
  const engine::GateRecord& record = gate.record;
  v1::Gate proto;
  proto.set_name(name);
  proto.set_share_ppm(record.share.ppm());
  SetVersion(record.version, *proto.mutable_version());
  proto.set_no_raise(record.no_raise);
  AddRecording(conductor, gate, proto);
  proto.set_cookie_key(record.cookie_keys.issuing);
  if (record.cookie_keys.HasStaged()) {
    proto.set_cookie_key_staged(record.cookie_keys.keys.back().id);
  }
  proto.mutable_labels()->insert(record.labels.begin(), record.labels.end());
  for (const auto& [part, other] : conductor.state().gates) {
    if (other.exists && IsPart(part) && part != name && WholeOf(part) == name)
      proto.add_parts(part);
  }
  if (record.open_until) *proto.mutable_open_until() = ToProto(*record.open_until);
  AddAgents(conductor, gate, proto);
  if (record.restoration) {
    const engine::Explanation explanation =
        engine::Explain(conductor.state(), gate, conductor.now());
    *proto.mutable_restoration() = ViewRestoration(conductor, gate, explanation);
  }
  *proto.mutable_changed_at() = ToProto(gate.changed);
  *proto.mutable_changed_by() = conductor::EncodeCause(gate.cause);
  const conductor::Move* move = conductor.timeline().LastMove(name);
  if (move != nullptr && move->share == record.share) {
    *proto.mutable_moved_at() = ToProto(move->at);
    *proto.mutable_moved_by() = conductor::EncodeCause(move->cause);
  }
  return proto;
}

v1::ListTimelineResponse ViewTimeline(const conductor::Conductor& conductor,
                                      const std::string& gate, std::size_t limit) {
  v1::ListTimelineResponse proto;
  for (const conductor::TimelineItem* item : conductor.timeline().Newest(gate, limit)) {
    v1::TimelineEntry& entry = *proto.add_entries();
    entry.set_sequence(item->sequence);
    entry.mutable_record()->ParseFromString(item->payload);
    entry.set_text(item->text);
  }
  return proto;
}

}  // namespace headgate::api
