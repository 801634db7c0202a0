// Whether a duration of the wire is one: others overflow where they are reckoned with. Pure; any
// thread.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"

namespace headgate::api {

// INVALID_ARGUMENT beyond protobuf's own range: 315,576,000,000 s (10,000 years) either way, and
// nanoseconds below a second, of the same sign. `path`: the field's, as callers know it.
absl::Status CheckDuration(const google::protobuf::Duration& duration, const std::string& path);

// The same of each duration in `message`, however deep.
absl::Status CheckDurations(const google::protobuf::Message& message, const std::string& path);

}  // namespace headgate::api
