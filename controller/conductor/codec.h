// Between the engine's values and the journal's records. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/engine/record.h"
#include "headgate/v1/journal.pb.h"

namespace headgate::conductor {

// A plan of the journal, as the engine knows it. The plan room's, handed in by main.
using PlanFromProto = std::function<absl::StatusOr<engine::Plan>(const v1::Plan&)>;

v1::Cause EncodeCause(const engine::Cause& cause);
v1::GateRecord EncodeGate(const engine::GateRecord& record);
v1::RestorationRecord EncodeRestoration(const engine::Restoration& restoration);
v1::JournalRecord EncodeChange(TimePoint at, std::uint64_t epoch, const engine::GateRecord& record,
                               const engine::Cause& cause);

// INVALID_ARGUMENT names the field that does not fit.
absl::StatusOr<engine::GateRecord> DecodeGate(const v1::GateRecord& proto,
                                              const PlanFromProto& plan_from_proto);

}  // namespace headgate::conductor
