// How servers and figures are called in findings. Pure; any thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/duration.h"

namespace headgate::database {

// What findings call the primary; no replica may have this name.
inline constexpr const char* kPrimaryName = "primary";

inline std::string Called(std::string_view server) {
  return server == kPrimaryName ? "the primary" : fmt::format("replica {}", server);
}

inline std::string Mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

// Whole seconds, from two on.
inline std::string About(Duration duration) {
  return FormatDuration(duration < Duration(2'000) ? duration : duration / 1'000 * 1'000);
}

}  // namespace headgate::database
