#include "tests/support/net/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace headgate::support {
namespace {

constexpr int kBacklog = 1024;

absl::Status SystemError(const char* what) {
  return absl::UnavailableError(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

HttpServer::~HttpServer() {
  while (!connections_.empty()) Close(connections_.begin()->first);
  if (listener_ < 0) return;
  loop_.Forget(listener_);
  ::close(listener_);
}

absl::Status HttpServer::Listen(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError("socket");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, length) != 0 || ::listen(fd, kBacklog) != 0 ||
      ::getsockname(fd, generic, &length) != 0) {
    const absl::Status status = SystemError(fmt::format("listen on {}", port).c_str());
    ::close(fd);
    return status;
  }
  listener_ = fd;
  port_ = ntohs(address.sin_port);
  loop_.Watch(fd, EPOLLIN, [this](std::uint32_t) { Accept(); });
  return absl::OkStatus();
}

void HttpServer::Answer(Ticket ticket, Response response) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  const int fd = found->second;
  waiting_.erase(found);
  Connection& connection = connections_.at(fd);
  connection.busy = false;
  response.keep_alive = response.keep_alive && connection.keep_alive;
  connection.keep_alive = response.keep_alive;
  connection.out += Serialise(response);
  Flush(fd);
  if (connections_.contains(fd)) Next(fd);
}

void HttpServer::Accept() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (connections_.size() >= kConnectionsMax) {
      ::close(fd);
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connections_.emplace(fd, Connection{});
    loop_.Watch(fd, EPOLLIN, [this, fd](std::uint32_t events) { OnEvents(fd, events); });
  }
}

void HttpServer::OnEvents(int fd, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) Flush(fd);
  if (!connections_.contains(fd)) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !Read(fd)) {
    Close(fd);
    return;
  }
  Next(fd);
}

bool HttpServer::Read(int fd) {
  Connection& connection = connections_.at(fd);
  std::array<char, 16 * 1024> bytes;
  while (true) {
    const ssize_t count = ::read(fd, bytes.data(), bytes.size());
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    connection.in.append(bytes.data(), static_cast<std::size_t>(count));
    if (connection.in.size() > kHeadBytesMax + kBodyBytesMax) return false;
    if (static_cast<std::size_t>(count) < bytes.size()) return true;
  }
}

void HttpServer::Next(int fd) {
  Connection& connection = connections_.at(fd);
  if (connection.busy || !connection.keep_alive) return;
  const auto request = TakeRequest(connection.in);
  if (!request.ok()) {
    connection.keep_alive = false;
    connection.out += Serialise(Response{.status = 400,
                                         .headers = {},
                                         .body = std::string(request.status().message()),
                                         .keep_alive = false});
    Flush(fd);
    return;
  }
  if (!request->has_value()) return;
  connection.busy = true;
  connection.keep_alive = (*request)->keep_alive;
  connection.ticket = ++tickets_;
  waiting_.emplace(connection.ticket, fd);
  handler_(connection.ticket, **request);
}

void HttpServer::Flush(int fd) {
  Connection& connection = connections_.at(fd);
  while (!connection.out.empty()) {
    const ssize_t count =
        ::send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) {
      Close(fd);
      return;
    }
    if (count < 0) break;
    connection.out.erase(0, static_cast<std::size_t>(count));
  }
  const bool wants_write = !connection.out.empty();
  if (!wants_write && !connection.keep_alive && !connection.busy) {
    Close(fd);
    return;
  }
  if (wants_write == connection.wants_write) return;
  connection.wants_write = wants_write;
  loop_.Change(fd, wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void HttpServer::Close(int fd) {
  const Connection& connection = connections_.at(fd);
  if (connection.busy) waiting_.erase(connection.ticket);
  loop_.Forget(fd);
  ::close(fd);
  connections_.erase(fd);
}

}  // namespace headgate::support
