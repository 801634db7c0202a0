#include "common/base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace headgate {
namespace {

TEST(Random, GivesAsManyBytesAsAskedForAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = RandomBytes(16);
    ASSERT_EQ(bytes.size(), 16U);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
  EXPECT_EQ(RandomBytes(kRandomBytesMax).size(), kRandomBytesMax);
  EXPECT_DEATH(RandomBytes(kRandomBytesMax + 1), "kRandomBytesMax");
}

}  // namespace
}  // namespace headgate
