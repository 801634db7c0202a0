// The map that HAProxy reads: `admit_w` and `retry_after`, one entry a line. Pure: any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/share.h"

namespace headgate::haproxy {

inline constexpr char kWidthEntry[] = "admit_w";
inline constexpr char kRetryAfterEntry[] = "retry_after";

struct MapValues {
  std::uint32_t width = 0;
  std::uint32_t retry_after_s = 0;

  friend bool operator==(const MapValues&, const MapValues&) = default;
};

std::string MapText(const MapValues& values);

// What HAProxy would make of the file: a missing `admit_w` is 0, as in the snippet.
// INVALID_ARGUMENT: a line on which HAProxy would not start.
absl::StatusOr<MapValues> ParseMapText(const std::string& text);

// The largest share whose width is at most `width`: exact for every width that Headgate sets.
Share ShareOfWidth(std::uint32_t width);

}  // namespace headgate::haproxy
