// Makes the folders that the agent needs where they are missing. Any thread; blocks on the disk.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agents/main/config.h"

namespace headgate::agent {

// HAProxy reads its map, maybe as another user.
inline constexpr unsigned kMapFolderMode = 0755;
// For the agent alone.
inline constexpr unsigned kStateFolderMode = 0700;

// The folder's name of a file: "." where it has none.
std::string FolderOf(const std::string& path);

// With this mode, and its parents with 0755; one that is there is left as it is. An error names the
// folder and who may make it.
absl::Status MakeFolder(const std::string& folder, unsigned mode);

// state_dir: for the agent alone, unless a map lies in it or below.
absl::Status MakeStateFolder(const Config& config);
absl::Status MakeMapFolders(const Config& config);

}  // namespace headgate::agent
