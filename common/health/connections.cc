#include "common/health/connections.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/health/health_listener.h"

namespace headgate {
namespace {

constexpr int kBacklog = 128;
// Whoever owns the other descriptor of what was ended gets this long to close it, so that a flood
// is not faster than the end of what it has left; and without descriptors there is nothing to be
// taken.
constexpr int kPauseMs = 1;
constexpr int kNoDescriptorsPauseMs = 100;

struct FreeFound {
  void operator()(addrinfo* found) const { freeaddrinfo(found); }
};

// Of `found`; -1 with errno.
int Listen(const addrinfo& found) {
  const int fd =
      socket(found.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, found.ai_protocol);
  if (fd < 0) return -1;
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // [::] is every address, as of the other listeners.
  if (found.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd, found.ai_addr, found.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HealthConnections>> HealthConnections::Bind(
    const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return absl::UnavailableError("it has no port");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                address.substr(colon + 1).c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(gai_strerror(error));
  const std::unique_ptr<addrinfo, FreeFound> owner(found);
  const int listener = Listen(*found);
  if (listener < 0) return absl::UnavailableError(std::strerror(errno));
  const int wake = eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    const int why = errno;
    close(listener);
    return absl::UnavailableError(std::strerror(why));
  }
  return std::unique_ptr<HealthConnections>(
      new HealthConnections(listener, wake, PortOf(listener)));
}

HealthConnections::HealthConnections(int listener, int wake, int port)
    : listener_(listener), wake_(wake), port_(port) {}

HealthConnections::~HealthConnections() {
  const std::uint64_t one = 1;
  if (thread_.joinable() && write(wake_, &one, sizeof(one)) == sizeof(one)) thread_.join();
  for (const Connection& connection : connections_) close(connection.fd);
  close(wake_);
  close(listener_);
}

void HealthConnections::Start(Duties duties) {
  duties_ = std::move(duties);
  thread_ = std::thread([this] { Run(); });
}

void HealthConnections::Run() {
  const std::chrono::milliseconds age_max(kHealthConnectionEndMs);
  for (;;) {
    std::vector<pollfd> asked{{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      asked.push_back({connection.fd, POLLRDHUP, 0});
    }
    int patience = -1;
    if (!connections_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          connections_.front().since + age_max - std::chrono::steady_clock::now());
      patience = std::max<int>(0, static_cast<int>(left.count()));
    }
    poll(asked.data(), asked.size(), patience);
    if (asked[0].revents != 0) return;
    DropEnded();
    while (!connections_.empty() &&
           std::chrono::steady_clock::now() - connections_.front().since >= age_max) {
      EndOldest();
    }
    if (asked[1].revents != 0) Take();
  }
}

// Those that either end has closed.
void HealthConnections::DropEnded() {
  std::erase_if(connections_, [](const Connection& connection) {
    pollfd asked{connection.fd, POLLRDHUP, 0};
    if (poll(&asked, 1, 0) != 1) return false;
    close(connection.fd);
    return true;
  });
}

void HealthConnections::EndOldest() {
  const Connection oldest = connections_.front();
  connections_.pop_front();
  shutdown(oldest.fd, SHUT_RDWR);
  close(oldest.fd);
  duties_.count_ended();
}

void HealthConnections::Take() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      poll(nullptr, 0, kNoDescriptorsPauseMs);
    }
    return;
  }
  const int second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (second < 0) {
    close(fd);
    return;
  }
  if (connections_.size() >= static_cast<std::size_t>(kHealthConnectionsMax)) {
    EndOldest();
    poll(nullptr, 0, kPauseMs);
  }
  connections_.push_back({second, std::chrono::steady_clock::now()});
  duties_.hand_over(listener_, fd);
}

}  // namespace headgate
