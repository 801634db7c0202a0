// The place of a user: XXH64(key, seed 0) & 0xFFFFF. The same rule in every agent and load
// balancer.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/share.h"

namespace headgate {

inline constexpr std::uint32_t kBuckets = 1U << 20;

// 0 to 1,048,575.
std::uint32_t BucketOf(std::string_view key);

inline bool IsAdmitted(std::uint32_t bucket, Share share) { return bucket < share.Width(); }

// XXH64 with seed 0, for digests.
std::uint64_t Hash64(std::string_view bytes);

}  // namespace headgate
