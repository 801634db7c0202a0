// The admissions that nginx keeps for the hour without an agent (proxy_cache): by them the users
// who were admitted stay. After a lowering those of users beyond the new share are removed: each
// bears its user's bucket. Thread-safe; blocks on the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace headgate::endpoint {

// The ETag of an admission; without a bucket it is one of everybody.
std::string AdmissionTag(std::optional<std::uint32_t> bucket);

// Removes the files of an nginx cache below `folder`, and nothing else: those whose names are the
// 32 hexadecimal digits that nginx gives them. Admissions whose bucket is below `width` stay. OK if
// there is no such folder: then nothing is kept.
absl::Status ForgetAnswers(const std::string& folder, std::uint32_t width);

}  // namespace headgate::endpoint
