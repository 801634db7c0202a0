// A client of one HTTP/1.1 server on loopback, with a bounded number of kept-alive connections.
// It lives on its event loop's thread. Every request that was taken is answered exactly once, with
// the response or with the reason why there is none, at the latest after the timeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/net/event_loop.h"
#include "tests/support/net/http_message.h"

namespace headgate::support {

class HttpClient {
 public:
  struct Limits {
    std::size_t connections = 512;
    std::chrono::milliseconds timeout{5'000};
  };
  // DEADLINE_EXCEEDED after the timeout, UNAVAILABLE where the connection failed.
  using Done = std::function<void(const absl::StatusOr<Response>& answer)>;

  // Speaks to 127.0.0.1 and to nobody else.
  HttpClient(EventLoop& loop, std::uint16_t port, Limits limits)
      : loop_(loop), port_(port), limits_(limits) {}
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // False: all connections are busy; nothing was sent and `done` will not be called.
  bool Send(const Request& request, Done done);

 private:
  struct Connection {
    std::string in;
    std::string out;
    std::string request;
    Done done;  // empty while the connection is idle
    EventLoop::Timer deadline;
    bool used_before = false;
    bool wants_write = false;
  };

  int Open();
  void Start(int fd, std::string bytes, Done done);
  void OnEvents(int fd, std::uint32_t events);
  void Flush(int fd);
  // True: the peer has closed.
  bool Read(int fd);
  void Take(int fd, bool at_end);
  void Resend(int fd);
  void End(int fd, const absl::Status& why);
  void Close(int fd);

  EventLoop& loop_;
  const std::uint16_t port_;
  const Limits limits_;
  std::unordered_map<int, Connection> connections_;
  std::vector<int> idle_;
};

}  // namespace headgate::support
