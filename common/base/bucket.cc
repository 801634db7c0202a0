#include "common/base/bucket.h"

#include <xxhash.h>

namespace headgate {

std::uint64_t Hash64(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

std::uint32_t BucketOf(std::string_view key) {
  return static_cast<std::uint32_t>(Hash64(key) & (kBuckets - 1));
}

}  // namespace headgate
