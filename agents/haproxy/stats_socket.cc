#include "agents/haproxy/stats_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace headgate::haproxy {
namespace {

using MonotonicTime = std::chrono::steady_clock::time_point;

class Connection {
 public:
  Connection(const std::string& path, MonotonicTime deadline)
      : path_(path),
        deadline_(deadline),
        fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }

  absl::Status Connect() const;
  absl::Status Send(const std::string& text) const;
  absl::StatusOr<std::string> ReceiveAll() const;

 private:
  absl::Status Failed(const char* what) const {
    return absl::UnavailableError(
        fmt::format("cannot {} HAProxy's stats socket {}: {}", what, path_, std::strerror(errno)));
  }
  absl::Status WaitFor(short events) const;

  const std::string& path_;
  const MonotonicTime deadline_;
  const int fd_;
};

absl::Status Connection::WaitFor(short events) const {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return absl::DeadlineExceededError(
          fmt::format("HAProxy's stats socket {} does not answer in time: it hangs", path_));
    }
    pollfd waiting{fd_, events, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Failed("wait for");
  }
}

absl::Status Connection::Connect() const {
  if (fd_ < 0) return Failed("open");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(fmt::format("the socket path {} has {} bytes: at most {}",
                                                  path_, path_.size(),
                                                  sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path_.data(), path_.size());
  while (true) {
    // NOLINTNEXTLINE: the sockets API wants this cast.
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return absl::OkStatus();
    }
    // A Unix socket whose backlog is full says so at once instead of letting us wait.
    if (errno != EAGAIN && errno != EINTR) return Failed("connect to");
    const int error = errno;
    if (std::chrono::steady_clock::now() >= deadline_) {
      errno = error;
      return absl::DeadlineExceededError(
          fmt::format("HAProxy's stats socket {} takes no connection: it hangs", path_));
    }
    poll(nullptr, 0, 5);
  }
}

absl::Status Connection::Send(const std::string& text) const {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Failed("write to");
    if (absl::Status status = WaitFor(POLLOUT); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Connection::ReceiveAll() const {
  std::string answer;
  char chunk[16 * 1024];
  while (true) {
    const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
    if (n == 0) return answer;
    if (n > 0) {
      answer.append(chunk, static_cast<std::size_t>(n));
      if (answer.size() > StatsSocket::kAnswerBytesMax) {
        return absl::OutOfRangeError(
            fmt::format("{} sent more than {} bytes: it is not HAProxy's stats socket", path_,
                        StatsSocket::kAnswerBytesMax));
      }
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Failed("read from");
    if (absl::Status status = WaitFor(POLLIN); !status.ok()) return status;
  }
}

}  // namespace

StatsSocket::StatsSocket(std::string path, Duration patience)
    : path_(std::move(path)), patience_(patience) {}

absl::StatusOr<std::string> StatsSocket::Ask(const std::vector<std::string>& commands) const {
  const Connection connection(path_, std::chrono::steady_clock::now() + patience_);
  if (absl::Status status = connection.Connect(); !status.ok()) return status;
  std::string line;
  for (const std::string& command : commands) {
    if (!line.empty()) line += ';';
    line += command;
  }
  if (absl::Status status = connection.Send(line + "\n"); !status.ok()) return status;
  return connection.ReceiveAll();
}

std::vector<std::string> SplitAnswers(const std::string& answer) {
  std::vector<std::string> answers;
  std::size_t at = 0;
  while (at < answer.size()) {
    const std::size_t end = answer.find("\n\n", at);
    if (end == std::string::npos) {
      answers.push_back(answer.substr(at));
      break;
    }
    answers.push_back(answer.substr(at, end - at));
    at = end + 2;
  }
  return answers;
}

}  // namespace headgate::haproxy
