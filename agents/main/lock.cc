#include "agents/main/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace headgate::agent {
namespace {

std::string LockPath(const std::string& folder) { return folder + "/agent.lock"; }

struct flock WholeFile(short type = F_WRLCK) {
  struct flock whole {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return whole;
}

// Unset: nobody. 0: a process of another container.
std::optional<pid_t> HolderOf(int fd) {
  struct flock whole = WholeFile();
  if (fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK) return std::nullopt;
  return std::max<pid_t>(whole.l_pid, 0);
}

std::string PidWords(pid_t pid) {
  return pid == 0 ? "in another container" : fmt::format("pid {}", pid);
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
  int fd = open(LockPath(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  const bool is_read_only = fd < 0 && errno == EROFS;
  // A disk that takes no more writes is no reason to leave the load balancer alone.
  if (is_read_only) fd = open(LockPath(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::UnavailableError(
        fmt::format("cannot open {} as user {}: {}: the folder must belong to the agent's user, as "
                    "with `install -d -o headgate {}`",
                    LockPath(folder), geteuid(), std::strerror(errno), folder));
  }
  // A lock that keeps others out needs a file to write to, so there two of them do: one keeps out
  // those who cannot write, either; the other those who could, and is what FindAgent sees.
  const bool is_alone = !is_read_only || flock(fd, LOCK_EX | LOCK_NB) == 0;
  struct flock whole = WholeFile(is_read_only ? F_RDLCK : F_WRLCK);
  if (is_alone && fcntl(fd, F_SETLK, &whole) == 0) {
    return std::unique_ptr<FolderLock>(new FolderLock(fd));
  }
  const int error = errno;
  const std::optional<pid_t> holder = HolderOf(fd);
  close(fd);
  if (error != EACCES && error != EAGAIN) {
    return absl::UnavailableError(
        fmt::format("cannot lock {}: {}", LockPath(folder), std::strerror(error)));
  }
  return absl::AlreadyExistsError(
      fmt::format("an agent ({}) already runs on {}: two would quarrel over the load balancer: "
                  "stop it; one for another load balancer needs another state_dir",
                  PidWords(holder.value_or(0)), folder));
}

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::TakeShare(const std::string& share_file) {
  const int fd = open((share_file + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return nullptr;
  struct flock whole = WholeFile();
  if (fcntl(fd, F_SETLK, &whole) == 0) return std::unique_ptr<FolderLock>(new FolderLock(fd));
  const bool is_held = errno == EACCES || errno == EAGAIN;
  const std::optional<pid_t> holder = HolderOf(fd);
  close(fd);
  if (!is_held) return nullptr;
  return absl::AlreadyExistsError(
      fmt::format("another agent ({}) writes {}: each would undo what the other is told, and a "
                  "lowering too: stop one of them",
                  PidWords(holder.value_or(0)), share_file));
}

FolderLock::~FolderLock() { close(fd_); }

std::string AgentSeen::ToString() const {
  switch (is) {
    case Is::kNotRunning:
      return "not running";
    case Is::kRunning:
      return fmt::format("running ({})", PidWords(pid));
    case Is::kStopped:
      return fmt::format("stopped, it does nothing ({})", PidWords(pid));
    case Is::kUnknown:
      return fmt::format("unknown: {}", why);
  }
  return "";
}

AgentSeen FindAgent(const std::string& folder) {
  const int fd = open(LockPath(folder).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (fd < 0) {
    return {AgentSeen::Is::kUnknown, 0,
            fmt::format("cannot open {}: {}: ask as root, or as the agent's user", LockPath(folder),
                        std::strerror(errno))};
  }
  const std::optional<pid_t> holder = HolderOf(fd);
  close(fd);
  if (!holder) return {};
  const bool is_stopped = *holder != 0 && IsStopped(*holder);
  return {is_stopped ? AgentSeen::Is::kStopped : AgentSeen::Is::kRunning, *holder, ""};
}

}  // namespace headgate::agent
