#include "agents/endpoint/grpc_knock.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace headgate::endpoint {
namespace {

// RFC 9113, 3.4: the preface, and a SETTINGS frame without any.
constexpr std::string_view kGreeting(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    24 + 9);
// A server's first frame is SETTINGS too.
constexpr std::size_t kFrameHeaderBytes = 9;
constexpr std::size_t kFrameTypeAt = 3;
constexpr char kSettings = 4;

class Socket {
 public:
  explicit Socket(int family) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // Of each of three steps; connect() is one.
    timeval patience{.tv_usec = 1000 * kKnockPatience.count() / 3};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address AddressOf(const Listen& listen) {
  Address address;
  if (listen.is_unix()) {
    auto* name = reinterpret_cast<sockaddr_un*>(&address.storage);
    name->sun_family = AF_UNIX;
    listen.path.copy(name->sun_path, sizeof name->sun_path - 1);
    address.size = sizeof(sockaddr_un);
    return address;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, listen.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(listen.port);
    address.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, listen.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(listen.port);
    address.size = sizeof(sockaddr_in6);
  }
  return address;
}

}  // namespace

absl::Status Knock(const Listen& listen) {
  const Address address = AddressOf(listen);
  const Socket socket(address.storage.ss_family);
  const auto silent = [&](const char* what) {
    return absl::UnavailableError(fmt::format("ext_authz {}: {} ({})", listen.ToString(), what,
                                              errno == 0 ? "it hangs up" : std::strerror(errno)));
  };
  const auto* name = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(socket.fd(), name, address.size) != 0) return silent("cannot be reached");
  errno = 0;
  const ssize_t sent = send(socket.fd(), kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(kGreeting.size())) return silent("does not take a question");
  char answer[kFrameHeaderBytes];
  errno = 0;
  const ssize_t received = recv(socket.fd(), answer, sizeof answer, MSG_WAITALL);
  if (received <= 0) return silent("does not answer");
  const bool is_http2 = received == sizeof answer && answer[kFrameTypeAt] == kSettings;
  if (is_http2) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "ext_authz {} is answered by something else than gRPC: another program listens there",
      listen.ToString()));
}

}  // namespace headgate::endpoint
