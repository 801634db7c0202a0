#include "agents/endpoint/kept_room.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace headgate::endpoint {
namespace {

// What nginx may write between two looks: some 250 answers, a block each; of a small disk less.
constexpr std::uint64_t kRoomBytes = 1024 * 1024;
constexpr std::uint64_t kPartOfSmallDisk = 8;

// The disk itself: that this mount of it is read-only for the agent says nothing of nginx, where
// the agent is a service with folders of its own.
bool IsDiskReadOnly(dev_t device) {
  const std::string wanted = fmt::format(" {}:{} ", major(device), minor(device));
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::size_t options = line.rfind(' ') + 1;
    if (line.find(wanted) == std::string::npos || options == 0) continue;
    const std::string_view text = std::string_view(line).substr(options);
    return text == "ro" || text.starts_with("ro,");
  }
  return false;
}

}  // namespace

absl::Status CheckRoomToKeep(const std::string& folder) {
  struct stat found {};
  struct statvfs disk {};
  if (stat(folder.c_str(), &found) != 0 || statvfs(folder.c_str(), &disk) != 0) {
    return absl::OkStatus();
  }
  const std::uint64_t least =
      std::min<std::uint64_t>(kRoomBytes, disk.f_blocks * disk.f_frsize / kPartOfSmallDisk);
  const std::uint64_t room = disk.f_bavail * disk.f_frsize;
  std::string why;
  if (IsDiskReadOnly(found.st_dev)) {
    why = "its disk takes no writes";
  } else if (room < least) {
    why = fmt::format("its disk has {} bytes left", room);
  } else if (disk.f_files > 0 && disk.f_favail == 0) {
    why = "its disk has no file left (inodes)";
  }
  if (why.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "nginx is told to keep no more answers in {}: {}. Users come in by the agent's word alone; "
      "were it to die now, only those would stay who were kept before: make room there",
      folder, why));
}

}  // namespace headgate::endpoint
