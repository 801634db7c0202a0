// A small HTTP/1.1 server on loopback for the test programs. It lives on its event loop's thread;
// a request may be answered at once or later, and each one is answered exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "tests/support/net/event_loop.h"
#include "tests/support/net/http_message.h"

namespace headgate::support {

class HttpServer {
 public:
  // A connection beyond this many is closed at once.
  static constexpr std::size_t kConnectionsMax = 8192;

  // Names a request that waits for its answer. An answer to a connection that is gone is dropped.
  using Ticket = std::uint64_t;
  using Handler = std::function<void(Ticket ticket, const Request& request)>;

  HttpServer(EventLoop& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {}
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds 127.0.0.1; port 0 takes a free one, and port() tells which.
  absl::Status Listen(std::uint16_t port);
  std::uint16_t port() const { return port_; }

  void Answer(Ticket ticket, Response response);

 private:
  struct Connection {
    Ticket ticket = 0;
    std::string in;
    std::string out;
    bool busy = false;  // a request was handed out and is not answered yet
    bool keep_alive = true;
    bool wants_write = false;
  };

  void Accept();
  void OnEvents(int fd, std::uint32_t events);
  bool Read(int fd);
  // Hands out the next whole request, if there is one and none is out.
  void Next(int fd);
  void Flush(int fd);
  void Close(int fd);

  EventLoop& loop_;
  const Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  Ticket tickets_ = 0;
  std::unordered_map<int, Connection> connections_;
  std::unordered_map<Ticket, int> waiting_;
};

}  // namespace headgate::support
