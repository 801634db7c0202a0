// gRPC writes lines of its own to stderr, in its own form, for things that we tell better: a peer
// that went away, an address without a name. Call first thing in main, while there is one thread.
#pragma once

#include <cstdlib>

namespace headgate {

// GRPC_VERBOSITY in the environment still wins, for those who debug gRPC itself.
inline void QuietGrpc() { setenv("GRPC_VERBOSITY", "NONE", 0); }

}  // namespace headgate
