#include "agents/core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace headgate::agent {
namespace {

constexpr mode_t kNewFileMode = 0640;
constexpr mode_t kModeBits = 07777;

absl::Status Failed(const char* what, const std::string& path, int error) {
  const std::string message = fmt::format("cannot {} {}: {}", what, path, std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return absl::ResourceExhaustedError(message + ": make room there");
  }
  if (error == EACCES || error == EPERM || error == EROFS) {
    return absl::PermissionDeniedError(message);
  }
  return absl::UnavailableError(message);
}

// What files are opened with: a FIFO or a device in a file's place would hold up a lowering for
// good.
constexpr int kFlags = O_CLOEXEC | O_NONBLOCK;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status CheckIsRegular(int fd, const std::string& path) {
  struct stat found {};
  if (fstat(fd, &found) != 0) return Failed("look at", path, errno);
  if (S_ISREG(found.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{} is no regular file: put one in its place", path));
}

absl::Status Sync(const std::string& path, int flags) {
  const FileDescriptor file(open(path.c_str(), flags | kFlags));
  if (file.get() < 0) return Failed("open", path, errno);
  if (fsync(file.get()) != 0) return Failed("sync", path, errno);
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, const std::string& path, const std::string& content) {
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t n = write(fd, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("write", path, errno);
    written += static_cast<std::size_t>(n);
  }
  return absl::OkStatus();
}

// HAProxy must be able to read its map after a reload, whoever it runs as, and the agent what root
// writes beside it: a new file belongs to whom its folder belongs.
void KeepOwner(int fd, const std::string& path) {
  struct stat old {};
  const bool is_new = stat(path.c_str(), &old) != 0;
  if (is_new && stat(FolderOf(path).c_str(), &old) != 0) return;
  // An agent that may not give files away leaves its own as owner, and keeps the group where it is
  // of it: by that nginx's workers read a file which root made.
  const bool is_kept = fchown(fd, old.st_uid, old.st_gid) == 0 ||
                       fchown(fd, static_cast<uid_t>(-1), old.st_gid) == 0;
  if (!is_kept) errno = 0;
  if (!is_new && fchmod(fd, old.st_mode & kModeBits) != 0) errno = 0;
}

bool IsReserved(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && found.st_size >= static_cast<off_t>(kReservedBytes);
}

absl::Status WriteAndRename(const std::string& path, const std::string& content, bool sync) {
  // Of this process alone: `headgate-agent lower` writes beside a running agent.
  const std::string tmp = fmt::format("{}.{}.tmp", path, getpid());
  absl::Status status;
  {
    const FileDescriptor file(
        open(tmp.c_str(), O_WRONLY | O_CREAT | O_TRUNC | kFlags | O_NOFOLLOW, kNewFileMode));
    if (file.get() < 0) return Failed("create", tmp, errno);
    KeepOwner(file.get(), path);
    status = WriteAll(file.get(), tmp, content);
    if (status.ok() && sync && fsync(file.get()) != 0) status = Failed("sync", tmp, errno);
  }
  if (status.ok() && rename(tmp.c_str(), path.c_str()) != 0)
    status = Failed("replace", path, errno);
  if (!status.ok()) unlink(tmp.c_str());
  return status;
}

}  // namespace

absl::Status WriteDurably(const std::string& path, const std::string& content) {
  if (absl::Status status = WriteAndRename(path, content, true); !status.ok()) return status;
  return SyncFolderOf(path);
}

absl::Status ReplaceFile(const std::string& path, const std::string& content) {
  return WriteAndRename(path, content, false);
}

KeptFile::KeptFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | kFlags)) {}

KeptFile::~KeptFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status WriteInPlace(const std::string& path, const std::string& content) {
  const FileDescriptor file(open(path.c_str(), O_WRONLY | kFlags | O_NOFOLLOW));
  if (file.get() < 0) return Failed("open", path, errno);
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return Failed("look at", path, errno);
  const auto size = static_cast<std::size_t>(found.st_size);
  if (content.size() > size || size > kSmallFileBytesMax) {
    return absl::OutOfRangeError(
        fmt::format("{} bytes do not fit into the {} of {}", content.size(), size, path));
  }
  // One call: whoever reads it meanwhile sees the old or the new.
  std::string padded = content;
  padded.resize(size, '\n');
  return WriteAll(file.get(), path, padded);
}

absl::Status MakeDurable(const std::string& path) {
  if (absl::Status status = Sync(path, O_RDONLY); !status.ok()) return status;
  return SyncFolderOf(path);
}

absl::Status Reserve(const std::string& spare) {
  struct stat found {};
  if (stat(spare.c_str(), &found) == 0) return absl::OkStatus();
  return WriteDurably(spare, std::string(kReservedBytes, ' '));
}

absl::Status WriteReserved(const std::string& path, const std::string& spare,
                           const std::string& content) {
  if (content.size() > kReservedBytes) {
    return absl::OutOfRangeError(fmt::format("{} bytes do not fit into the {} kept for {}",
                                             content.size(), kReservedBytes, path));
  }
  // The room may have gone into `path` already. A reader in the middle of a write in place finds a
  // damaged file for a moment, which raises nothing.
  const bool is_in_place = !IsReserved(spare) && IsReserved(path);
  const std::string& room = is_in_place ? path : spare;
  {
    const FileDescriptor file(open(room.c_str(), O_WRONLY | kFlags | O_NOFOLLOW));
    if (file.get() < 0) return Failed("open", room, errno);
    if (absl::Status status = CheckIsRegular(file.get(), room); !status.ok()) return status;
    std::string padded = content;
    padded.resize(kReservedBytes, ' ');
    if (absl::Status status = WriteAll(file.get(), room, padded); !status.ok()) return status;
  }
  if (is_in_place || rename(room.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return Failed("replace", path, errno);
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | kFlags));
  if (file.get() < 0) return Failed("open", path, errno);
  if (absl::Status status = CheckIsRegular(file.get(), path); !status.ok()) return status;
  std::string content;
  char chunk[4096];
  while (true) {
    const ssize_t n = read(file.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("read", path, errno);
    if (n == 0) return content;
    content.append(chunk, static_cast<std::size_t>(n));
    if (content.size() > kSmallFileBytesMax) {
      return absl::OutOfRangeError(
          fmt::format("{} is larger than {} bytes: it is not ours", path, kSmallFileBytesMax));
    }
  }
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return Failed("remove", path, errno);
  }
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  return Sync(FolderOf(path), O_RDONLY | O_DIRECTORY);
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status TryToWriteIn(const std::string& folder) {
  const std::string path = folder + "/.headgate-check";
  if (absl::Status status = WriteDurably(path, "x"); !status.ok()) return status;
  return RemoveFile(path);
}

}  // namespace headgate::agent
