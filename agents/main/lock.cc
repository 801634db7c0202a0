#include "agents/main/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace headgate::agent {
namespace {

std::string LockPath(const std::string& folder) { return folder + "/agent.lock"; }

struct flock WholeFile() {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return whole;
}

// 0: nobody.
pid_t HolderOf(int fd) {
  struct flock whole = WholeFile();
  if (fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK) return 0;
  return whole.l_pid;
}

bool IsStopped(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  // The name in parentheses may hold anything, even a parenthesis.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= line.size()) return false;
  const char state = line[name_end + 2];
  return state == 'T' || state == 't';
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder) {
  const int fd = open(LockPath(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    return absl::UnavailableError(
        fmt::format("cannot open {}: {}", LockPath(folder), std::strerror(errno)));
  }
  struct flock whole = WholeFile();
  if (fcntl(fd, F_SETLK, &whole) == 0) return std::unique_ptr<FolderLock>(new FolderLock(fd));
  const pid_t holder = HolderOf(fd);
  close(fd);
  return absl::AlreadyExistsError(
      fmt::format("an agent (pid {}) already runs on {}: two would quarrel over the load balancer; "
                  "stop it, or give this one another state_dir",
                  holder, folder));
}

FolderLock::~FolderLock() { close(fd_); }

std::optional<RunningAgent> FindAgent(const std::string& folder) {
  const int fd = open(LockPath(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const pid_t holder = HolderOf(fd);
  close(fd);
  if (holder == 0) return std::nullopt;
  return RunningAgent{holder, IsStopped(holder)};
}

}  // namespace headgate::agent
