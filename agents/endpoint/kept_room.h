// Whether nginx can write another answer into the folder in which it keeps them: where it cannot,
// it ends the request whose answer that is, though the agent has admitted it. Any thread; waits for
// the disk.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace headgate::endpoint {

// FAILED_PRECONDITION: its disk is nearly full, or takes no writes. A folder that is not there is
// nginx's to tell of.
absl::Status CheckRoomToKeep(const std::string& folder);

}  // namespace headgate::endpoint
