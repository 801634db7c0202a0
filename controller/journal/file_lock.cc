#include "controller/journal/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace headgate::journal {
namespace {

// What the holder wrote into its lock file; for people, the lock itself is the kernel's.
std::string HolderIn(int fd) {
  std::array<char, 32> text{};
  const ssize_t got = pread(fd, text.data(), text.size() - 1, 0);
  std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "unknown" : holder;
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Take(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::PermissionDeniedError(
        fmt::format("{}: cannot be made ({}); let the user of this program write to its folder",
                    path, std::strerror(errno)));
  }
  FileLock lock(fd, path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: another controller (process {}) uses this journal; stop it, or give each its own",
        path, HolderIn(fd)));
  }
  const std::string pid = fmt::format("{}\n", getpid());
  // A full disk must not keep a controller from starting: the number is for people only.
  if (ftruncate(fd, 0) == 0) [[maybe_unused]]
    const auto written = pwrite(fd, pid.data(), pid.size(), 0);
  return lock;
}

bool FileLock::IsStillThere() const {
  struct stat held {};
  struct stat found {};
  return fstat(fd_, &held) == 0 && stat(path_.c_str(), &found) == 0 &&
         held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace headgate::journal
