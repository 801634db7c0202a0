// A small application to stand behind a load balancer: it answers 200, or what it is told to.
// Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace httplib {
class Server;
}

namespace headgate::test {

class TestApp {
 public:
  // Listens on 127.0.0.1, on a port of its own.
  TestApp();
  TestApp(const TestApp&) = delete;
  TestApp& operator=(const TestApp&) = delete;
  ~TestApp();

  std::uint16_t port() const { return port_; }
  void AnswerWith(int status) { status_ = status; }
  // That caches may keep it.
  void AnswerPublic() { is_public_ = true; }
  // 0: also of those that wait already.
  void DelayBy(int milliseconds);
  // Requests that came through the load balancer.
  std::uint64_t requests() const { return requests_; }
  // Of the last request: "Name: value" and a line's end for each.
  std::string last_headers() const;
  // From now on nobody listens there.
  void Stop();

 private:
  // As slowly as told, unless it is being stopped.
  void Dawdle();

  std::unique_ptr<httplib::Server> server_;
  std::uint16_t port_ = 0;
  std::atomic<int> status_{200};
  std::atomic<bool> is_public_{false};
  std::atomic<int> delay_ms_{0};
  std::atomic<std::uint64_t> requests_{0};
  mutable std::mutex mutex_;
  std::condition_variable patience_changed_;
  // Protected by mutex_.
  bool stopping_ = false;
  std::string last_headers_;
  std::thread thread_;
};

}  // namespace headgate::test
