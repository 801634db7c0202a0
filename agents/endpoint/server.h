// The endpoint's listener: HTTP/1.1 with keep-alive on a Unix socket or loopback, and the datagrams
// of an access log, in one event loop on a thread of its own. Start and the destructor block; the
// desk and the log's taker are called on the loop's thread and must not.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "agents/endpoint/desk.h"
#include "agents/endpoint/listening.h"
#include "common/base/clock.h"

namespace headgate::endpoint {

struct Limits {
  // One more gets 503 and is closed.
  std::size_t connections_max = 1024;
  // A request with more in its headers gets 431; one with a body gets 413.
  std::size_t header_bytes_max = 16 * 1024;
  // A connection on which no request comes, or comes to its end, is closed: later than nginx, Caddy
  // and Traefik close theirs.
  Duration idle_max = std::chrono::seconds(100);
  // For the answer to be taken.
  Duration answer_max = std::chrono::seconds(5);
};

// Said with the 503.
inline constexpr char kTooManyConnections[] = "too many connections to the endpoint\n";

// What the limits have refused so far. Thread-safe.
struct ServerCounts {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_refused{0};
  // Too long, with a body, or no HTTP.
  std::atomic<std::uint64_t> requests_refused{0};
  std::atomic<std::uint64_t> idle_closed{0};
};

class Server {
 public:
  struct Options {
    Listen listen;
    // Of a Unix socket.
    unsigned mode = 0660;
    std::string group{};
    // Of UDP, on loopback.
    std::optional<Listen> access_log{};
    Limits limits{};
  };
  using LogTaker = std::function<void(std::string_view datagram)>;

  // An error names the listener, and what to do.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, Desk& desk,
                                                       LogTaker take_log, ServerCounts& counts);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  class Loop;
  explicit Server(std::unique_ptr<Loop> loop);
  const std::unique_ptr<Loop> loop_;
};

}  // namespace headgate::endpoint
