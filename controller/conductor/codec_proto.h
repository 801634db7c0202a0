// Between the engine's values and the messages of the journal's schema; the api shows the same
// messages. Thread-safe: no state.
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

v1::CookieKeys EncodeCookieKeys(const CookieKeys& keys);
v1::Cause EncodeCause(const engine::Cause& cause);
v1::GateRecord EncodeGate(const engine::GateRecord& record);
v1::RestorationRecord EncodeRestoration(const engine::Restoration& restoration);
engine::Cause DecodeCause(const v1::Cause& proto);
// INVALID_ARGUMENT names the field that does not fit.
absl::StatusOr<engine::GateRecord> DecodeGate(const v1::GateRecord& proto,
                                              const PlanFromProto& plan_from_proto);

}  // namespace headgate::conductor
