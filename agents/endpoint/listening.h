// Where the endpoint listens: a Unix socket or loopback, because whoever can reach it is believed
// to be the load balancer. Any thread; blocks on the disk.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate::endpoint {

struct Listen {
  // "/run/headgate/shop.sock"; empty: TCP.
  std::string path;
  // "127.0.0.1" and 9101.
  std::string host;
  std::uint16_t port = 0;

  bool is_unix() const { return !path.empty(); }
  std::string ToString() const;
};

// "unix:/run/headgate/shop.sock" or "127.0.0.1:9101". INVALID_ARGUMENT: `key` says where it stands.
absl::StatusOr<Listen> ParseListen(const std::string& key, const std::string& text);

// Of the probe's path, for a client that is given the Unix socket beside it.
std::string ProbeUrlOf(const Listen& listen);

// Removes a socket that nobody listens on any more: what an agent that was killed leaves behind.
// FAILED_PRECONDITION: it is no socket, or its folder is missing; ALREADY_EXISTS: somebody listens.
absl::Status RemoveStaleSocket(const std::string& path);

// Who may connect: the mode, and the group if one is named.
absl::Status SetAccess(const std::string& path, unsigned mode, const std::string& group);

}  // namespace headgate::endpoint
