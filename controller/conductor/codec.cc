#include "controller/conductor/codec.h"

#include <utility>

#include "controller/conductor/codec_proto.h"

namespace headgate::conductor {

namespace {

absl::StatusOr<v1::JournalRecord> Parse(const std::string& payload) {
  v1::JournalRecord proto;
  if (proto.ParseFromString(payload)) return proto;
  return absl::InvalidArgumentError("not a record of Headgate's journal");
}

absl::StatusOr<JournalRecord> FromProto(const v1::JournalRecord& proto,
                                        const PlanFromSource& plan_from_source) {
  JournalRecord record{.at = FromUnixMillis(proto.at_unix_ms()), .epoch = proto.epoch()};
  if (!proto.has_gate_changed()) {
    record.controller = proto.reign_began().controller();
    return record;
  }
  const auto plan_from_proto = [&](const v1::Plan& plan) {
    return plan_from_source(plan.SerializeAsString());
  };
  absl::StatusOr<engine::GateRecord> gate =
      DecodeGate(proto.gate_changed().state(), plan_from_proto);
  if (!gate.ok()) return gate.status();
  record.change = Change{*std::move(gate), DecodeCause(proto.gate_changed().cause())};
  return record;
}

}  // namespace

std::string Encode(const JournalRecord& record) {
  v1::JournalRecord proto;
  proto.set_at_unix_ms(UnixMillis(record.at));
  proto.set_epoch(record.epoch);
  if (record.change) {
    *proto.mutable_gate_changed()->mutable_cause() = EncodeCause(record.change->cause);
    *proto.mutable_gate_changed()->mutable_state() = EncodeGate(record.change->record);
  } else {
    proto.mutable_reign_began()->set_controller(record.controller);
    proto.mutable_reign_began()->set_software_version(HEADGATE_VERSION);
  }
  return proto.SerializeAsString();
}

absl::StatusOr<JournalRecord> Decode(const std::string& payload,
                                     const PlanFromSource& plan_from_source) {
  const absl::StatusOr<v1::JournalRecord> proto = Parse(payload);
  if (!proto.ok()) return proto.status();
  return FromProto(*proto, plan_from_source);
}

absl::StatusOr<JournalRecord> DecodeWithoutRestoration(const std::string& payload) {
  absl::StatusOr<v1::JournalRecord> proto = Parse(payload);
  if (!proto.ok()) return proto.status();
  if (proto->has_gate_changed()) {
    proto->mutable_gate_changed()->mutable_state()->clear_restoration();
  }
  return FromProto(*proto, nullptr);
}

std::string ForTimeline(const std::string& payload) {
  v1::JournalRecord proto;
  if (!proto.ParseFromString(payload) || !proto.has_gate_changed()) return payload;
  v1::GateRecord& state = *proto.mutable_gate_changed()->mutable_state();
  if (state.has_restoration()) state.mutable_restoration()->clear_plan();
  state.clear_cookie_keys();
  state.clear_agents();
  state.clear_removed_agents();
  return proto.SerializeAsString();
}

}  // namespace headgate::conductor
