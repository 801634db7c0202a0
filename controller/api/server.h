// A way in for operators: on the network (mTLS, or plaintext on loopback), where agents come in
// too, or the Unix socket of root on the controller's host. Built, started and destroyed by main;
// each stands for itself.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/loop/loop.h"
#include "common/tls/files.h"
#include "controller/api/database_view.h"
#include "controller/conductor/conductor.h"

namespace headgate::api {

// A connection without a call is ended after this, by GOAWAY: its peer comes back with the next
// one. What a peer has forgotten would be kept for as long as that peer lives.
inline constexpr Duration kIdleMax{20'000};

class Listener {
 public:
  // `listen`: HOST:PORT; port 0 takes a free one. No `tls`: plaintext. Errors name the address and
  // the remedy.
  static absl::StatusOr<std::unique_ptr<Listener>> OnNetwork(
      const std::string& listen, const std::optional<tls::Material>& tls, Loop& loop,
      conductor::Conductor& conductor, ShowDatabases databases = ShowNoDatabases);
  static absl::StatusOr<std::unique_ptr<Listener>> OnSocket(
      const std::string& path, Loop& loop, conductor::Conductor& conductor,
      ShowDatabases databases = ShowNoDatabases);
  // Ends every stream; the loop must still run, or have been stopped.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // 0: a socket.
  int port() const { return port_; }

 private:
  struct Services;
  explicit Listener(std::unique_ptr<Services> services);

  const std::unique_ptr<Services> services_;
  int port_ = 0;
};

}  // namespace headgate::api
