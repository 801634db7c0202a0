#include "tests/support/test_app.h"

#include <httplib.h>

#include <chrono>
#include <utility>

namespace headgate::test {

TestApp::TestApp() : server_(std::make_unique<httplib::Server>()) {
  // A thread per connection: as many as a load balancer may keep open.
  server_->new_task_queue = [] { return new httplib::ThreadPool(64); };
  server_->Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
    ++requests_;
    std::string headers;
    for (const auto& [name, value] : request.headers) headers += name + ": " + value + "\n";
    {
      const std::lock_guard lock(mutex_);
      last_headers_ = std::move(headers);
    }
    Dawdle();
    response.status = status_;
    if (is_public_) response.set_header("Cache-Control", "public, max-age=600");
    response.set_content("the shop\n", "text/plain");
  });
  port_ = static_cast<std::uint16_t>(server_->bind_to_any_port("127.0.0.1"));
  thread_ = std::thread([this] { server_->listen_after_bind(); });
}

TestApp::~TestApp() { Stop(); }

std::string TestApp::last_headers() const {
  const std::lock_guard lock(mutex_);
  return last_headers_;
}

void TestApp::DelayBy(int milliseconds) {
  {
    const std::lock_guard lock(mutex_);
    delay_ms_ = milliseconds;
  }
  patience_changed_.notify_all();
}

void TestApp::Dawdle() {
  std::unique_lock lock(mutex_);
  patience_changed_.wait_for(lock, std::chrono::milliseconds(delay_ms_),
                             [this] { return stopping_ || delay_ms_ == 0; });
}

void TestApp::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  patience_changed_.notify_all();
  // stop() before the server runs would be lost.
  while (thread_.joinable() && !server_->is_running()) std::this_thread::yield();
  server_->stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace headgate::test
