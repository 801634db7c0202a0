// Between agent.proto and the fleet's values. Any thread; no state.
#pragma once

#include "absl/status/statusor.h"
#include "controller/fleet/counting.h"
#include "controller/fleet/session.h"
#include "headgate/v1/agent.pb.h"

namespace headgate::api {

using fleet::kGatesPerAgentMax;
inline constexpr std::size_t kSlowThresholdsMax = 16;
// Longer texts of an agent are cut.
inline constexpr std::size_t kAgentTextBytesMax = 1024;

// INVALID_ARGUMENT names the field and the bound.
absl::StatusOr<fleet::Hello> FromProto(const v1::Hello& proto);
absl::StatusOr<fleet::GateReport> FromProto(const v1::Report& proto);
absl::StatusOr<fleet::CountersPush> FromProto(const v1::Counters& proto);

v1::Report ToProto(const fleet::GateReport& report);
v1::Directive ToProto(const Directive& directive, const Outlook& outlook, Duration valid_for);

}  // namespace headgate::api
