#include "controller/main/answering.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace headgate {
namespace {

constexpr std::string_view kNoProtocol = "headgate looks whether somebody listens\r\n\r\n";

class Socket {
 public:
  explicit Socket(int family)
      : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

bool IsReady(int fd, short events, Duration patience) {
  pollfd waits{.fd = fd, .events = events, .revents = 0};
  return poll(&waits, 1, static_cast<int>(patience.count())) == 1;
}

Answering Asks(int family, const sockaddr* address, socklen_t length, Duration patience) {
  const Socket socket(family);
  if (socket.fd() < 0) return Answering::kCannotTell;
  if (connect(socket.fd(), address, length) != 0) {
    // A Unix socket whose backlog is full says EAGAIN.
    if (errno != EINPROGRESS) return Answering::kNo;
    if (!IsReady(socket.fd(), POLLOUT, patience)) return Answering::kNo;
  }
  // A connection that was refused meanwhile is told by the reading below.
  [[maybe_unused]] const auto sent =
      send(socket.fd(), kNoProtocol.data(), kNoProtocol.size(), MSG_NOSIGNAL);
  if (!IsReady(socket.fd(), POLLIN, patience)) return Answering::kNo;
  char byte = 0;
  const auto got = recv(socket.fd(), &byte, 1, 0);
  // The end, also a hard one, comes from whoever took the connection.
  return got >= 0 || errno == ECONNRESET ? Answering::kYes : Answering::kNo;
}

}  // namespace

Answering AsksPort(const std::string& host, int port, Duration patience) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = v4.sin_port;
  in_addr own4{};
  in6_addr own6{};
  if (inet_pton(AF_INET6, host.c_str(), &own6) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&own6)) {
    v6.sin6_addr = own6;
    return Asks(AF_INET6, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6), patience);
  }
  const bool is_v4 = inet_pton(AF_INET, host.c_str(), &own4) == 1;
  const bool is_any = host == "::" || host == "localhost" || own4.s_addr == INADDR_ANY;
  // A name is not resolved: the answer may be another host's.
  if (!is_v4 && host != "::" && host != "localhost") return Answering::kCannotTell;
  if (!is_any) v4.sin_addr = own4;
  return Asks(AF_INET, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4), patience);
}

Answering AsksSocket(const std::string& path, Duration patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Answering::kCannotTell;
  std::memcpy(address.sun_path, path.data(), path.size());
  return Asks(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address), patience);
}

}  // namespace headgate
