// The least that answers HTTP: one thread, one epoll, no parsing but for the end of the headers,
// and the same answer to everybody. What the decision endpoint's CPU is compared with.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 204 No Content\r\nX-Headgate-Gate: shop\r\nX-Headgate-Verdict: in\r\n"
    "Cache-Control: private\r\nX-Accel-Expires: @1\r\n\r\n";
constexpr int kEventsMax = 64;
constexpr std::size_t kRequestMax = 16 * 1024;

int Listen(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    std::perror("bare_epoll");
    std::exit(1);
  }
  return fd;
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// The bench sends no request in two pieces.
void Answer(int fd) {
  std::array<char, kRequestMax> request;
  const ssize_t size = read(fd, request.data(), request.size());
  if (size <= 0) {
    close(fd);
    return;
  }
  const std::string_view text(request.data(), static_cast<std::size_t>(size));
  if (!text.ends_with("\r\n\r\n")) return;
  if (write(fd, kAnswer.data(), kAnswer.size()) < 0) close(fd);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::fputs("usage: headgate_bench_bare_epoll PORT\n", stderr);
    return 2;
  }
  const int listener = Listen(std::atoi(words[1]));
  const int epoll = epoll_create1(0);
  Watch(epoll, listener);
  std::array<epoll_event, kEventsMax> events;
  while (true) {
    const int ready = epoll_wait(epoll, events.data(), kEventsMax, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd != listener) {
        Answer(fd);
      } else if (const int accepted = accept(listener, nullptr, nullptr); accepted >= 0) {
        Watch(epoll, accepted);
      }
    }
  }
}
