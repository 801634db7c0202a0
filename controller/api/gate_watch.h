// One watcher's stream of a gate. Gates are sent whole, the newest wins; a watcher that does not
// read for kWatchWriteMax is cut off.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>

#include "absl/status/status.h"
#include "common/loop/loop.h"
#include "controller/conductor/conductor.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::api {

inline constexpr Duration kWatchWriteMax{5'000};

// On the loop's thread.
bool HasGate(const conductor::Conductor& conductor, const std::string& gate);
// NOT_FOUND, with the gates that there are.
absl::Status NoGate(const conductor::Conductor& conductor, const std::string& gate);

// gRPC owns the reactor. `status` that is not OK ends it at once.
grpc::ServerWriteReactor<v1::Gate>* NewGateWatch(Loop& loop, conductor::Conductor& conductor,
                                                 grpc::CallbackServerContext* context,
                                                 std::string gate, absl::Status status);

}  // namespace headgate::api
