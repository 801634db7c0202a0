// Addresses as people write them, and the rule of plaintext: only when asked for by flag, and bound
// to loopback. Pure; any thread.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace headgate::tls {

// True for host or host:port whose host is 127.0.0.0/8, ::1 or "localhost", and for "unix:…".
// A name is not resolved: who can change the resolver must not be able to open a port.
bool IsLoopback(std::string_view address);

// OK, or INVALID_ARGUMENT: an address to connect to has a host and a port, 1 to 65535; an IPv6
// host stands in brackets. `flag` as for the next.
absl::Status CheckHostPort(std::string_view address, std::string_view flag);

// OK, or FAILED_PRECONDITION with the flag or the address to change. `flag` as it is written on the
// command line, e.g. "--insecure-loopback".
absl::Status CheckPlaintextAllowed(std::string_view address, bool asked_for, std::string_view flag);

}  // namespace headgate::tls
