// A listener on loopback that takes connections and says nothing. One thread.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace headgate::test {

class SilentPeer {
 public:
  SilentPeer() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~SilentPeer() {
    for (const int fd : taken_) close(fd);
    close(listener_);
  }
  SilentPeer(const SilentPeer&) = delete;
  SilentPeer& operator=(const SilentPeer&) = delete;

  const std::string& address() const { return address_; }
  // Of the next connection, which stays this object's; -1 if none comes in time.
  int Take() {
    pollfd waits{listener_, POLLIN, 0};
    if (poll(&waits, 1, kPatienceMs) != 1) return -1;
    return taken_.emplace_back(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  static constexpr int kPatienceMs = 30'000;
  const int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string address_;
  std::vector<int> taken_;
};

}  // namespace headgate::test
