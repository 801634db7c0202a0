#include "tests/controller/signals/fake_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "common/base/check.h"

namespace headgate::signals {
namespace {

// Whether the request's body, if it has one, has arrived.
bool IsComplete(const std::string& request) {
  const std::size_t head = request.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const std::size_t length = request.find("Content-Length: ");
  if (length == std::string::npos || length > head) return true;
  return request.size() - head - 4 >=
         static_cast<std::size_t>(std::atol(request.c_str() + length + 16));
}

}  // namespace

FakeServer::FakeServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  HEADGATE_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 64) == 0 &&
                 getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

FakeServer::~FakeServer() {
  is_over_ = true;
  thread_.join();
  close(listener_);
}

std::string FakeServer::Url() const { return fmt::format("http://127.0.0.1:{}", port_); }

void FakeServer::SetAnswer(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

std::vector<std::string> FakeServer::Requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string FakeServer::Ok(const std::string& body) { return WithStatus("200 OK", body); }

std::string FakeServer::WithStatus(const std::string& status, const std::string& body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     body.size(), body);
}

std::string FakeServer::Vector(const std::vector<std::string>& values) {
  std::string series;
  for (const std::string& value : values) {
    series +=
        fmt::format(R"({}{{"metric":{{}},"value":[1,"{}"]}})", series.empty() ? "" : ",", value);
  }
  return Ok(fmt::format(R"({{"status":"success","data":{{"resultType":"vector","result":[{}]}}}})",
                        series));
}

void FakeServer::Run() {
  while (!is_over_) {
    pollfd readable{.fd = listener_, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 20) <= 0) continue;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Serve(connection);
    close(connection);
  }
}

void FakeServer::Serve(int connection) {
  std::string request;
  bool is_answered = false;
  while (!is_over_) {
    pollfd readable{.fd = connection, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 20) <= 0) continue;
    std::array<char, 4'096> bytes{};
    const ssize_t count = read(connection, bytes.data(), bytes.size());
    if (count <= 0) return;
    request.append(bytes.data(), static_cast<std::size_t>(count));
    if (is_answered || !IsComplete(request)) continue;
    is_answered = true;
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      answer = answer_;
    }
    const std::string raw = answer(request);
    if (raw.empty()) continue;
    send(connection, raw.data(), raw.size(), MSG_NOSIGNAL);
    return;
  }
}

}  // namespace headgate::signals
