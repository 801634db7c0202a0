// One agent per state folder and per load balancer, and a way to see whether it lives. Any thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace headgate::agent {

// Held until destroyed, or until the process ends however it ends.
class FolderLock {
 public:
  // ALREADY_EXISTS names the pid that holds it; other errors: it could not be made.
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder);
  // Of whoever writes that share file, whatever its state folder; null where the lock cannot be
  // made, as on a disk that takes no writes, which is no reason to leave the load balancer alone.
  // ALREADY_EXISTS names the pid that holds it.
  static absl::StatusOr<std::unique_ptr<FolderLock>> TakeShare(const std::string& share_file);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  const int fd_;
};

struct AgentSeen {
  enum class Is {
    kNotRunning,
    kRunning,
    // Stopped by a signal (SIGSTOP, a debugger): it holds its lock and does nothing.
    kStopped,
    // Its lock may not be looked at by this user.
    kUnknown
  };

  Is is = Is::kNotRunning;
  // 0: of another container.
  pid_t pid = 0;
  // Of kUnknown.
  std::string why;

  bool Acts() const { return is == Is::kRunning; }
  // kUnknown included.
  bool MayRun() const { return is != Is::kNotRunning; }
  // "running (pid 17)".
  std::string ToString() const;
};
// Whether an agent runs on that folder.
AgentSeen FindAgent(const std::string& folder);

}  // namespace headgate::agent
