// An HTTP server for machines that look on: /metrics, /livez and /readyz. Nothing that commands a
// gate is served here. mTLS, or plaintext where tls::CheckPlaintextAllowed lets it.
// Start and destroy it on one thread; the pages are asked for on the server's own threads.
// Promises: kThreads connections at a time, one request each, the rest waits; destroying it takes
// about a second at most, whatever the clients do, and no page is asked for afterwards.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tls/files.h"

namespace headgate::http {

inline constexpr std::size_t kThreads = 4;
inline constexpr std::size_t kConnectionsWaitingMax = 16;

struct StatusServerOptions {
  // "127.0.0.1:9464", "[::1]:9464"; port 0 takes a free one.
  std::string address{};
  // Clients must show a certificate of its CA.
  std::optional<tls::Material> tls{};
  bool plaintext_asked_for = false;
  // As it is written on the command line, for the error.
  std::string plaintext_flag = "--insecure-loopback";
};

// All three must be thread-safe.
struct StatusPages {
  // The exposition; see common/metrics/exposition.h.
  std::function<std::string()> metrics;
  // OK, or what is wrong: a program that is not alive should be restarted, …
  std::function<absl::Status()> live;
  // … one that is not ready should be left alone.
  std::function<absl::Status()> ready;
};

class StatusServer {
 public:
  // INVALID_ARGUMENT: no address; FAILED_PRECONDITION: plaintext is not allowed there, or the TLS
  // material does not work; UNAVAILABLE: the port is taken. Errors name the address and the remedy.
  static absl::StatusOr<std::unique_ptr<StatusServer>> Start(const StatusServerOptions& options,
                                                             StatusPages pages);
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  // The port that is bound.
  int port() const { return port_; }

 private:
  struct State;
  StatusServer(std::shared_ptr<State> state, int port);

  // Shared with the server's threads: one that a client holds up is left behind, without pages.
  const std::shared_ptr<State> state_;
  const int port_;
  std::thread listener_;
};

}  // namespace headgate::http
