// The listeners: one for the network (mTLS, or plaintext on loopback), one Unix socket for root on
// the controller's host. Both serve operators; agents come in by the network. Built, started and
// destroyed by main.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/loop/loop.h"
#include "common/tls/files.h"
#include "controller/conductor/conductor.h"

namespace headgate::api {

struct ServerOptions {
  // HOST:PORT; port 0 takes a free one. Empty: none.
  std::string listen;
  // Unset: plaintext.
  std::optional<tls::Material> tls;
  // Empty: none.
  std::string socket;
};

class Servers {
 public:
  // Errors name the address and the remedy.
  static absl::StatusOr<std::unique_ptr<Servers>> Start(const ServerOptions& options, Loop& loop,
                                                        conductor::Conductor& conductor);
  // Ends every stream; the loop must still run, or have been stopped.
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // 0: not on the network.
  int port() const { return port_; }

 private:
  struct Listener;
  Servers();
  absl::Status ServeNetwork(const ServerOptions& options, Loop& loop,
                            conductor::Conductor& conductor);

  std::unique_ptr<Listener> network_;
  std::unique_ptr<Listener> local_;
  int port_ = 0;
};

}  // namespace headgate::api
