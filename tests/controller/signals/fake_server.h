// A web server whose answers a test writes byte by byte, because the answers of interest are those
// that no web server gives on purpose. One connection at a time, on its own thread; SetAnswer and
// Requests may be called from any.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace headgate::signals {

class FakeServer {
 public:
  // From the request's head and body to the raw answer. "" means: say nothing and keep the
  // connection until the server is destroyed or the client goes.
  using Answer = std::function<std::string(const std::string& request)>;

  explicit FakeServer(Answer answer);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string Url() const;
  void SetAnswer(Answer answer);
  std::vector<std::string> Requests() const;

  // "HTTP/1.1 200 OK" with `body`.
  static std::string Ok(const std::string& body);
  static std::string WithStatus(const std::string& status, const std::string& body);
  // An instant vector of these values.
  static std::string Vector(const std::vector<std::string>& values);

 private:
  void Run();
  void Serve(int connection);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> is_over_ = false;
  mutable std::mutex mutex_;
  // Protected by mutex_.
  Answer answer_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace headgate::signals
