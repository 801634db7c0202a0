// Bytes that nobody can guess, from the kernel. Any thread.
#pragma once

#include <cstddef>
#include <string>

namespace headgate {

inline constexpr std::size_t kRandomBytesMax = 256;

// At most kRandomBytesMax, which the kernel gives at once and never in part.
std::string RandomBytes(std::size_t count);

}  // namespace headgate
