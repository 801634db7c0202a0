// The file that a load balancer reads its share from at its start: `admit_w` and `retry_after`, one
// entry a line. Pure: any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/share.h"

namespace headgate::agent {

inline constexpr char kWidthEntry[] = "admit_w";
inline constexpr char kRetryAfterEntry[] = "retry_after";

struct ShareFile {
  std::uint32_t width = 0;
  std::uint32_t retry_after_s = 0;

  friend bool operator==(const ShareFile&, const ShareFile&) = default;
};

std::string ShareFileText(const ShareFile& values);

// What the load balancer makes of the file: a missing `admit_w` is 0, as in the snippet.
// INVALID_ARGUMENT: a line with which HAProxy would not start.
absl::StatusOr<ShareFile> ParseShareFile(const std::string& text);

// The largest share whose width is at most `width`: exact for every width that Headgate sets.
Share ShareOfWidth(std::uint32_t width);

}  // namespace headgate::agent
