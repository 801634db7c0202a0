// Addresses as Envoy's configuration writes them. Pure: any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace headgate::envoy {

// "{socket_address: {address: 127.0.0.1, port_value: 8080}}" of "127.0.0.1:8080". INVALID_ARGUMENT:
// `what` says which option it is of.
absl::StatusOr<std::string> SocketAddress(const std::string& what, const std::string& text);
// Of an agent's listener as agent.yaml has it: "unix:/run/headgate/shop.sock", or as above.
absl::StatusOr<std::string> AgentAddress(const std::string& what, const std::string& text);

// A cluster of one endpoint, which is looked up by its name.
std::string ClusterOf(const std::string& name, const std::string& address);

}  // namespace headgate::envoy
