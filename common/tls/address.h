// The rule of plaintext: only when asked for by flag, and bound to loopback. Pure; any thread.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace headgate::tls {

// True for host or host:port whose host is 127.0.0.0/8, ::1 or "localhost", and for "unix:…".
// A name is not resolved: who can change the resolver must not be able to open a port.
bool IsLoopback(std::string_view address);

// OK, or FAILED_PRECONDITION with the flag or the address to change. `flag` as it is written on the
// command line, e.g. "--insecure-loopback".
absl::Status CheckPlaintextAllowed(std::string_view address, bool asked_for, std::string_view flag);

}  // namespace headgate::tls
