#include "tests/support/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "common/base/check.h"

namespace headgate::test {
namespace {

constexpr char kGarbage[] = "\x01\x02 neither one thing\n\nnor the other\n\n";

bool Send(int fd, const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t n = send(fd, text, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    text += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

// False: the end, or an error.
bool Move(int from, int to) {
  char chunk[16 * 1024];
  const ssize_t n = recv(from, chunk, sizeof chunk, 0);
  if (n <= 0) return false;
  return to < 0 || Send(to, chunk, static_cast<std::size_t>(n));
}

const sockaddr* Pointer(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr*>(&storage);
}

}  // namespace

Relay::Address Relay::Unix(const std::string& path) {
  Address address;
  auto* name = reinterpret_cast<sockaddr_un*>(&address.storage);
  name->sun_family = AF_UNIX;
  HEADGATE_CHECK(path.size() < sizeof name->sun_path);
  std::memcpy(name->sun_path, path.data(), path.size());
  address.size = sizeof(sockaddr_un);
  return address;
}

Relay::Address Relay::Loopback(std::uint16_t port) {
  Address address;
  auto* name = reinterpret_cast<sockaddr_in*>(&address.storage);
  name->sin_family = AF_INET;
  name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name->sin_port = htons(port);
  address.size = sizeof(sockaddr_in);
  return address;
}

Relay::Relay(const std::string& path, const std::string& target) : target_(Unix(target)) {
  Begin(Unix(path));
}

Relay::Relay(std::uint16_t port, std::uint16_t target) : target_(Loopback(target)) {
  Begin(Loopback(port));
}

void Relay::Begin(const Address& own) {
  listener_ = socket(own.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  HEADGATE_CHECK(bind(listener_, Pointer(own.storage), own.size) == 0);
  HEADGATE_CHECK(listen(listener_, 64) == 0);
  wake_ = eventfd(0, EFD_CLOEXEC);
  HEADGATE_CHECK(wake_ >= 0);
  thread_ = std::thread([this] { Run(); });
}

void Relay::Wake() const {
  const std::uint64_t one = 1;
  HEADGATE_CHECK(write(wake_, &one, sizeof one) == sizeof one);
}

void Relay::Become(Way way) {
  way_ = way;
  has_changed_ = true;
  Wake();
  has_changed_.wait(true);
}

void Relay::Stall(bool stalls) {
  stalls_ = stalls;
  Wake();
}

Relay::~Relay() {
  stops_ = true;
  Wake();
  thread_.join();
  for (const Link& link : links_) Close(link);
  close(listener_);
  close(wake_);
}

void Relay::Close(const Link& link) {
  close(link.client);
  if (link.target >= 0) close(link.target);
}

void Relay::Accept() {
  Link link{.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), .way = way_};
  if (link.client < 0) return;
  ++connections_;
  if (link.way == Way::kForwards) {
    link.target = socket(target_.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Nobody there: nobody here.
    if (connect(link.target, Pointer(target_.storage), target_.size) != 0) return Close(link);
  }
  links_.push_back(link);
}

bool Relay::Serve(const Link& link, bool client_speaks, bool target_speaks) const {
  if (target_speaks && !Move(link.target, link.client)) return false;
  if (!client_speaks) return true;
  if (!Move(link.client, link.target)) return false;
  if (link.way == Way::kAnswersGarbage) Send(link.client, kGarbage, sizeof kGarbage - 1);
  return link.way == Way::kForwards || link.way == Way::kHangs;
}

void Relay::Run() {
  while (true) {
    // poll() passes over a negative one.
    const bool stalls = stalls_;
    std::vector<pollfd> waiting{{wake_, POLLIN, 0}, {stalls ? -1 : listener_, POLLIN, 0}};
    for (const Link& link : links_) {
      waiting.push_back({stalls ? -1 : link.client, POLLIN, 0});
      waiting.push_back({stalls ? -1 : link.target, POLLIN, 0});
    }
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (stops_) return;
    if (waiting[0].revents != 0) {
      std::uint64_t times = 0;
      HEADGATE_CHECK(read(wake_, &times, sizeof times) == sizeof times);
      if (!has_changed_) continue;
      for (const Link& link : links_) Close(link);
      links_.clear();
      has_changed_ = false;
      has_changed_.notify_all();
      continue;
    }
    std::vector<Link> left;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const bool client_speaks = waiting[2 + 2 * i].revents != 0;
      const bool target_speaks = waiting[3 + 2 * i].revents != 0;
      if (Serve(links_[i], client_speaks, target_speaks)) {
        left.push_back(links_[i]);
      } else {
        Close(links_[i]);
      }
    }
    links_ = std::move(left);
    if (waiting[1].revents != 0) Accept();
  }
}

}  // namespace headgate::test
