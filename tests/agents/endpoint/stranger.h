// Something else than an agent that listens where an agent should. Its own thread; any one other
// thread calls it.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

namespace headgate::test {

// Says the same to everybody who asks at the agent's socket, and hangs up.
class Stranger {
 public:
  Stranger(const std::string& path, std::string words)
      : words_(std::move(words)), fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    // NOLINTNEXTLINE: the sockets API wants this cast.
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    thread_ = std::thread([this] { Run(); });
  }
  ~Stranger() {
    ends_ = true;
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  int asked() const { return asked_; }

 private:
  void Run() {
    while (!ends_) {
      const int client = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      ++asked_;
      char question[4096];
      if (recv(client, question, sizeof question, 0) > 0) {
        send(client, words_.data(), words_.size(), MSG_NOSIGNAL);
      }
      close(client);
    }
  }

  const std::string words_;
  const int fd_;
  std::atomic<bool> ends_{false};
  std::atomic<int> asked_{0};
  std::thread thread_;
};

}  // namespace headgate::test
