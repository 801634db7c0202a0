#include "agents/main/folders.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "agents/core/files.h"
#include "agents/main/load_balancer.h"

namespace headgate::agent {
namespace {

bool IsWithin(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto wanted = std::filesystem::absolute(folder / "").lexically_normal();
  const auto given = std::filesystem::absolute(path).lexically_normal();
  return std::mismatch(wanted.begin(), --wanted.end(), given.begin(), given.end()).first ==
         --wanted.end();
}

absl::Status CannotMake(const std::string& folder, const std::error_code& error) {
  return absl::FailedPreconditionError(
      fmt::format("cannot make the folder {} as user {} ({}): make it as root and give it to the "
                  "agent's user, as in `install -d -o headgate {}`",
                  folder, geteuid(), error.message(), folder));
}

}  // namespace

absl::Status MakeFolder(const std::string& folder, unsigned mode) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return absl::OkStatus();
  const bool made = std::filesystem::create_directories(folder, error);
  if (error) return CannotMake(folder, error);
  // Whatever the umask says.
  if (made && chmod(folder.c_str(), mode) != 0) {
    return CannotMake(folder, std::error_code(errno, std::generic_category()));
  }
  return absl::OkStatus();
}

absl::Status MakeStateFolder(const Config& config) {
  const bool holds_share = std::any_of(
      config.gates.begin(), config.gates.end(),
      [&](const GateConfig& gate) { return IsWithin(ShareFileOf(gate), config.state_dir); });
  return MakeFolder(config.state_dir, holds_share ? kShareFolderMode : kStateFolderMode);
}

absl::Status MakeShareFolders(const Config& config) {
  absl::Status status;
  for (const GateConfig& gate : config.gates) {
    status.Update(MakeFolder(FolderOf(ShareFileOf(gate)), kShareFolderMode));
  }
  return status;
}

}  // namespace headgate::agent
