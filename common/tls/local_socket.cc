#include "common/tls/local_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace headgate::tls {
namespace {

absl::Status CheckFolder(const std::string& folder) {
  struct stat status {};
  if (lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(
        fmt::format("{}: no folder for the local socket ({}); make it with `install -d -m 700 {}`",
                    folder, std::strerror(errno), folder));
  }
  if (status.st_uid != geteuid() || (status.st_mode & 077U) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{}: others than the user of this program may enter it (owner {}, mode {:o}), "
                    "so that anybody could command the gate; `chmod 700` it, or give another path",
                    folder, status.st_uid, status.st_mode & 0777U));
  }
  return absl::OkStatus();
}

bool SomebodyListens(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

}  // namespace

absl::StatusOr<std::string> PrepareLocalSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.front() != '/' || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(fmt::format(
        "\"{}\" is no path for a local socket; give an absolute one of at most {} bytes", path,
        sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const std::string folder = std::filesystem::path(path).parent_path();
  mkdir(folder.c_str(), 0700);
  if (auto checked = CheckFolder(folder); !checked.ok()) return checked;
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return absl::FailedPreconditionError(
          fmt::format("{}: is no socket, and is not removed; give another path", path));
    }
    if (SomebodyListens(address)) {
      return absl::AlreadyExistsError(
          fmt::format("{}: another program listens there; stop it, or give another path", path));
    }
    unlink(path.c_str());
  }
  return fmt::format("unix:{}", path);
}

}  // namespace headgate::tls
