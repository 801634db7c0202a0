// The Unix socket that lets root in when certificates are dead. Who may connect is decided by the
// folder that it lies in. Any thread; blocks on the disk.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace headgate::tls {

// Prepares the folder of `path` (made 0700 if missing; refused if others may enter it or own it),
// removes a socket that nobody listens on any more, and returns the address for gRPC, "unix:…".
// FAILED_PRECONDITION names the folder and the remedy; ALREADY_EXISTS: somebody listens there.
absl::StatusOr<std::string> PrepareLocalSocket(const std::string& path);

}  // namespace headgate::tls
