// Whether a listener of ours still takes connections. Any thread; blocks for `patience` at most.
#pragma once

#include <string>

#include "common/base/clock.h"

namespace headgate {

enum class Answering {
  kYes,
  // The kernel queues connections, or refuses them, and nobody takes them.
  kNo,
  // We could not ask: no descriptor was left, for one.
  kCannotTell,
};

// `port` on loopback or, if `host` is one address of ours, there; a name is kCannotTell. What is
// sent is no TLS and no HTTP/2, so that every listener of gRPC answers it with bytes of its own or
// with the end of the connection.
Answering AsksPort(const std::string& host, int port, Duration patience);
// The same for a Unix socket.
Answering AsksSocket(const std::string& path, Duration patience);

}  // namespace headgate
