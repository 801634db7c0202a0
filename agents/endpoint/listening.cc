#include "agents/endpoint/listening.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "agents/core/snippet_words.h"
#include "common/tls/address.h"

namespace headgate::endpoint {
namespace {

constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

absl::Status ProveThatNobodyListens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  // Without waiting: a socket whose queue is full has somebody who should take from it.
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return absl::UnavailableError(fmt::format("{}: {}", path, std::strerror(errno)));
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = result == 0 ? 0 : errno;
  close(fd);
  if (error == ECONNREFUSED || error == ENOENT) return absl::OkStatus();
  return absl::AlreadyExistsError(
      fmt::format("{}: another program listens there ({}): stop it, or give another path", path,
                  error == 0 ? "it took a connection" : std::strerror(error)));
}

}  // namespace

std::string Listen::ToString() const {
  if (is_unix()) return "unix:" + path;
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

absl::StatusOr<Listen> ParseListen(const std::string& key, const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is '{}', {}: write unix:/run/headgate/shop.sock or 127.0.0.1:9101", key, text, why));
  };
  if (text.starts_with("unix:")) {
    Listen listen{.path = text.substr(5)};
    if (!listen.path.starts_with('/')) return refuse("no absolute path");
    if (listen.path.size() > kPathBytesMax) {
      return refuse(fmt::format("longer than {} bytes", kPathBytesMax));
    }
    return listen;
  }
  if (!tls::CheckHostPort(text, key).ok()) return refuse("no address");
  if (!tls::IsLoopback(text)) {
    return refuse("not on this machine: whoever reaches the endpoint is believed");
  }
  const std::size_t colon = text.rfind(':');
  Listen listen{.host = text.substr(0, colon)};
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), listen.port);
  if (listen.host == "localhost") listen.host = "127.0.0.1";
  if (listen.host.starts_with('[')) listen.host = listen.host.substr(1, listen.host.size() - 2);
  return listen;
}

std::string ProbeUrlOf(const Listen& listen) {
  return fmt::format("http://{}{}", listen.is_unix() ? "localhost" : listen.ToString(),
                     agent::kProbePath);
}

absl::Status RemoveStaleSocket(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{}: no folder for the socket ({}): make it, as in `install -d -m 755 -o "
                    "headgate {}`, or let systemd do so (RuntimeDirectory=headgate)",
                    folder, std::strerror(errno), folder));
  }
  if (lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: is no socket, and is not removed: give another path", path));
  }
  if (absl::Status nobody = ProveThatNobodyListens(path); !nobody.ok()) return nobody;
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "{}: nobody listens there, and it cannot be removed: {}", path, std::strerror(errno)));
}

absl::Status SetAccess(const std::string& path, unsigned mode, const std::string& group) {
  if (!group.empty()) {
    const ::group* const found = getgrnam(group.c_str());
    if (found == nullptr || chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
      return absl::FailedPreconditionError(fmt::format(
          "{} cannot be given to the group {} ({}): put the agent's user into that group, as in "
          "`usermod -a -G {} headgate`",
          path, group, found == nullptr ? "there is none" : std::strerror(errno), group));
    }
  }
  if (chmod(path.c_str(), mode) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{}: cannot be given the mode {:o}: {}", path, mode, std::strerror(errno)));
}

}  // namespace headgate::endpoint
