// The answers that nginx keeps for the hour without an agent (proxy_cache): by them the users who
// were admitted stay. After a lowering they say too much, and are removed: who is admitted then
// asks again. Thread-safe; blocks on the disk.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace headgate::endpoint {

// Removes the files of an nginx cache below `folder`, and nothing else: those whose names are the
// 32 hexadecimal digits that nginx gives them. OK if there is no such folder: then nothing is kept.
absl::Status ForgetAnswers(const std::string& folder);

}  // namespace headgate::endpoint
