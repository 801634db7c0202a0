// One controller per journal: a lock file beside it, held for the life of the process. The kernel
// lets go of it when the process dies, however it dies. Any thread.
// Not the database file itself: closing any descriptor of it would drop SQLite's own locks.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace headgate::journal {

class FileLock {
 public:
  // FAILED_PRECONDITION names the process that holds it; PERMISSION_DENIED: it cannot be made.
  static absl::StatusOr<FileLock> Take(const std::string& path);
  ~FileLock();
  // Whether another controller would find this very lock: false once its file was removed or
  // replaced.
  bool IsStillThere() const;
  FileLock(FileLock&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
  }

 private:
  FileLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

}  // namespace headgate::journal
