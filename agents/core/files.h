// Small files that are either the old or the new one, whenever somebody reads them or the power
// fails. Any thread; two writers of one path must take turns. None waits for the other end of a
// FIFO.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate::agent {

inline constexpr std::size_t kSmallFileBytesMax = 64 * 1024;

// tmp, write, fsync, rename, fsync of the folder. OK: it survives a power failure. The file keeps
// the mode and owner of the one that it replaces; a new one is readable by its owner and group, who
// are its folder's where the caller may say so.
absl::Status WriteDurably(const std::string& path, const std::string& content);

// The same without the waiting for the disk: every reader sees the new file from now on. Follow it
// with MakeDurable.
absl::Status ReplaceFile(const std::string& path, const std::string& content);
absl::Status MakeDurable(const std::string& path);

// As long as it lives, a file that is replaced keeps its room, so that whoever replaces it does not
// wait for the disk's books: to free the room takes several times as long as all the rest.
class KeptFile {
 public:
  explicit KeptFile(const std::string& path);
  KeptFile(const KeptFile&) = delete;
  KeptFile& operator=(const KeptFile&) = delete;
  ~KeptFile();

 private:
  const int fd_;
};

// Into the room that `path` has already, with empty lines up to its old size: for a full disk,
// where ReplaceFile finds no room. OUT_OF_RANGE if it has less. Follow it with MakeDurable.
absl::Status WriteInPlace(const std::string& path, const std::string& content);

// Room for one small file, kept free for the hour when the disk is full. Reserve makes `spare`
// unless it is there; WriteReserved fills it in place, which needs no new room, and renames it to
// `path`; a `path` that was written so before is rewritten in place. Follow it with MakeDurable.
inline constexpr std::size_t kReservedBytes = 4096;
absl::Status Reserve(const std::string& spare);
absl::Status WriteReserved(const std::string& path, const std::string& spare,
                           const std::string& content);

// NOT_FOUND if there is none, FAILED_PRECONDITION if it is no regular file, OUT_OF_RANGE above
// kSmallFileBytesMax.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// "/a" of "/a/b", "." of "b".
std::string FolderOf(const std::string& path);
// Makes a file there and removes it again.
absl::Status TryToWriteIn(const std::string& folder);

// OK if there was none. Follow it with SyncFolderOf, or it may come back after a power failure.
absl::Status RemoveFile(const std::string& path);
absl::Status SyncFolderOf(const std::string& path);

}  // namespace headgate::agent
