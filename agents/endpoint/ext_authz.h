// The endpoint in Envoy's words: gRPC envoy.service.auth.v3.Authorization/Check, on a listener of
// its own, with gRPC's callback threads. A refusal is a denied response with 503, the page and its
// headers: to Envoy that is an answer, unlike a 5xx of an HTTP authorization service. Thread-safe.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "agents/endpoint/endpoint.h"

namespace headgate::endpoint {

// Of a question: headers and path of a user's request. Longer gets RESOURCE_EXHAUSTED of gRPC's.
inline constexpr int kCheckBytesMax = 128 * 1024;
// Of questions on one connection at a time; further ones wait in Envoy.
inline constexpr int kChecksAtATimeMax = 1024;

// Listens on settings.ext_authz until it is destroyed. An error names the listener and what to do.
absl::StatusOr<std::unique_ptr<Door>> OpenExtAuthz(const Settings& settings, Desk& desk);

}  // namespace headgate::endpoint
