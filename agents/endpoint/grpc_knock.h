// Whether a gRPC server listens, as Envoy would find it: a greeting of HTTP/2, without gRPC's
// library. Any thread. Promises: returns within kKnockPatience.
#pragma once

#include "absl/status/status.h"
#include "agents/endpoint/listening.h"
#include "common/base/clock.h"

namespace headgate::endpoint {

inline constexpr Duration kKnockPatience{1500};

// UNAVAILABLE: nobody listens, or nobody answers; FAILED_PRECONDITION: something else does. Both in
// words for people.
absl::Status Knock(const Listen& listen);

}  // namespace headgate::endpoint
