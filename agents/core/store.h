// What outlives the agent's process, for one gate: its memory and the operator's override. Files in
// the state folder, so that `headgate-agent lower` works with the agent hung or dead. The memory
// may be saved, and room kept, on one thread while another uses the override; two processes may use
// the same folder.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/core/order.h"

namespace headgate::agent {

class Store {
 public:
  virtual ~Store() = default;
  // Unset: there is none. DATA_LOSS: there is one and it is damaged.
  virtual absl::StatusOr<std::optional<Memory>> LoadMemory() = 0;
  // Something is where it was saved, damaged or not.
  virtual bool HasMemory() const = 0;
  // OK: it survives a power failure.
  virtual absl::Status SaveMemory(const Memory& memory) = 0;
  virtual absl::StatusOr<std::optional<LocalOverride>> LoadOverride() = 0;
  // Both are seen by everybody at once, and wait for no disk: SyncOverride does.
  virtual absl::Status SaveOverride(const LocalOverride& local_override) = 0;
  virtual absl::Status ReleaseOverride() = 0;
  // Of one whose time has passed: `next` follows it, or nothing. Leaves what somebody else has said
  // since `ended` was read, or is about to say (UNAVAILABLE): try again later.
  virtual absl::Status EndOverride(const LocalOverride& ended,
                                   const std::optional<LocalOverride>& next) = 0;
  // OK: the last of them survives a power failure.
  virtual absl::Status SyncOverride() = 0;
  // Keeps room for an override, so that one can be saved on a full disk.
  virtual absl::Status KeepRoom() = 0;
};

class FileStore : public Store {
 public:
  // `folder` must exist. `gate` is a checked name: it becomes part of file names.
  FileStore(const std::string& folder, std::string gate);

  absl::StatusOr<std::optional<Memory>> LoadMemory() override;
  bool HasMemory() const override;
  absl::Status SaveMemory(const Memory& memory) override;
  absl::StatusOr<std::optional<LocalOverride>> LoadOverride() override;
  absl::Status SaveOverride(const LocalOverride& local_override) override;
  absl::Status ReleaseOverride() override;
  absl::Status EndOverride(const LocalOverride& ended,
                           const std::optional<LocalOverride>& next) override;
  absl::Status SyncOverride() override;
  absl::Status KeepRoom() override;

  // For whoever reads the override and then says another: one at a time on this folder, whatever
  // its gate, and no override ends meanwhile. UNAVAILABLE: after `patience` somebody else still
  // has the turn; another error: there is no such folder, or no way into it.
  class Turn {
   public:
    explicit Turn(int fd) : fd_(fd) {}
    Turn(Turn&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    int fd_;
  };
  absl::StatusOr<Turn> TakeTurn(Duration patience) const;

  const std::string& memory_path() const { return memory_path_; }
  const std::string& override_path() const { return override_path_; }

 private:
  const std::string folder_;
  const std::string gate_;
  const std::string memory_path_;
  const std::string override_path_;
  const std::string spare_path_;
};

}  // namespace headgate::agent
