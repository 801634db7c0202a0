// Makes the folders that the agent needs where they are missing. Any thread; blocks on the disk.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agents/main/config.h"

namespace headgate::agent {

// The load balancer reads its share, maybe as another user.
inline constexpr unsigned kShareFolderMode = 0755;
// For the agent alone.
inline constexpr unsigned kStateFolderMode = 0700;

// With this mode, and its parents with 0755; one that is there is left as it is. An error names the
// folder and who may make it.
absl::Status MakeFolder(const std::string& folder, unsigned mode);

// state_dir: for the agent alone, unless a file of a load balancer lies in it or below.
absl::Status MakeStateFolder(const Config& config);
absl::Status MakeShareFolders(const Config& config);

}  // namespace headgate::agent
