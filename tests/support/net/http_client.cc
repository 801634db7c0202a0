#include "tests/support/net/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace headgate::support {

HttpClient::~HttpClient() {
  while (!connections_.empty()) Close(connections_.begin()->first);
}

bool HttpClient::Send(const Request& request, Done done) {
  int fd = -1;
  if (!idle_.empty()) {
    // The one that was used last: those that are not needed grow old and are closed by the server.
    fd = idle_.back();
    idle_.pop_back();
  } else {
    if (connections_.size() >= limits_.connections) return false;
    fd = Open();
    if (fd < 0) return false;
  }
  Start(fd, Serialise(request), std::move(done));
  return true;
}

int HttpClient::Open() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    ::close(fd);
    return -1;
  }
  Connection connection;
  connection.wants_write = true;
  connections_.emplace(fd, std::move(connection));
  loop_.Watch(fd, EPOLLIN | EPOLLOUT, [this, fd](std::uint32_t events) { OnEvents(fd, events); });
  return fd;
}

void HttpClient::Start(int fd, std::string bytes, Done done) {
  Connection& connection = connections_.at(fd);
  connection.request = std::move(bytes);
  connection.out = connection.request;
  connection.done = std::move(done);
  connection.deadline = loop_.After(limits_.timeout, [this, fd] {
    End(fd, absl::DeadlineExceededError(
                fmt::format("no answer within {} ms", limits_.timeout.count())));
  });
  // A fresh connection flushes when the kernel says that it stands.
  if (connection.used_before) Flush(fd);
}

void HttpClient::OnEvents(int fd, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) Flush(fd);
  if (!connections_.contains(fd)) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  const bool at_end = Read(fd);
  const Connection& connection = connections_.at(fd);
  if (connection.done) {
    Take(fd, at_end);
    return;
  }
  // Nobody waits: the server has closed an idle connection, or talks out of turn.
  if (at_end || !connection.in.empty()) Close(fd);
}

void HttpClient::Flush(int fd) {
  Connection& connection = connections_.at(fd);
  while (!connection.out.empty()) {
    const ssize_t count =
        ::send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return;  // the read side reports what is wrong
    if (count < 0) break;
    connection.out.erase(0, static_cast<std::size_t>(count));
  }
  const bool wants_write = !connection.out.empty();
  if (wants_write == connection.wants_write) return;
  connection.wants_write = wants_write;
  loop_.Change(fd, wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

bool HttpClient::Read(int fd) {
  Connection& connection = connections_.at(fd);
  std::array<char, 16 * 1024> bytes;
  while (connection.in.size() <= kHeadBytesMax + kBodyBytesMax) {
    const ssize_t count = ::read(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno != EAGAIN;
    if (count == 0) return true;
    connection.in.append(bytes.data(), static_cast<std::size_t>(count));
    if (static_cast<std::size_t>(count) < bytes.size()) return false;
  }
  return true;
}

void HttpClient::Take(int fd, bool at_end) {
  Connection& connection = connections_.at(fd);
  const auto response = TakeResponse(connection.in, at_end);
  if (!response.ok()) {
    End(fd, absl::UnavailableError(response.status().message()));
    return;
  }
  if (!response->has_value() && at_end) {
    Resend(fd);
    return;
  }
  if (!response->has_value()) return;
  loop_.Cancel(connection.deadline);
  const Done done = std::exchange(connection.done, nullptr);
  connection.used_before = true;
  if (at_end || !(*response)->keep_alive) {
    Close(fd);
  } else {
    idle_.push_back(fd);
  }
  done(**response);
}

void HttpClient::Resend(int fd) {
  Connection& connection = connections_.at(fd);
  const bool was_stale = connection.used_before && connection.in.empty();
  if (!was_stale) {
    End(fd, absl::UnavailableError("the connection was closed before the answer was whole"));
    return;
  }
  // The server closed the idle connection while the request was on its way: browsers send such a
  // request again on a fresh connection, and so does this.
  std::string bytes = std::move(connection.request);
  Done done = std::exchange(connection.done, nullptr);
  loop_.Cancel(connection.deadline);
  Close(fd);
  const int fresh = Open();
  if (fresh < 0) {
    done(absl::UnavailableError("no connection to send the request again"));
    return;
  }
  Start(fresh, std::move(bytes), std::move(done));
}

void HttpClient::End(int fd, const absl::Status& why) {
  Connection& connection = connections_.at(fd);
  loop_.Cancel(connection.deadline);
  const Done done = std::exchange(connection.done, nullptr);
  Close(fd);
  if (done) done(why);
}

void HttpClient::Close(int fd) {
  const auto found = connections_.find(fd);
  if (found->second.done) loop_.Cancel(found->second.deadline);
  std::erase(idle_, fd);
  loop_.Forget(fd);
  ::close(fd);
  connections_.erase(found);
}

}  // namespace headgate::support
