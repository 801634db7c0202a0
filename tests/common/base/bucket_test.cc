#include "common/base/bucket.h"

#include <gtest/gtest.h>

#include <string>

#include "common/base/version.h"

namespace headgate {
namespace {

TEST(Bucket, IsTheLowTwentyBitsOfXxh64) {
  EXPECT_EQ(Hash64(""), 0xEF46DB3751D8E999ULL);  // the published test vector
  EXPECT_EQ(BucketOf(""), 0x8E999U);
}

TEST(Bucket, WhoIsAdmittedStaysAdmittedAtEveryHigherShare) {
  for (int i = 0; i < 1'000; ++i) {
    const std::uint32_t bucket = BucketOf("user-" + std::to_string(i));
    bool was_admitted = false;
    for (std::uint32_t ppm = 0; ppm <= Share::kPpmMax; ppm += 12'500) {
      const bool is_admitted = IsAdmitted(bucket, *Share::FromPpm(ppm));
      EXPECT_TRUE(is_admitted || !was_admitted);
      was_admitted = is_admitted;
    }
    EXPECT_TRUE(was_admitted);
  }
}

TEST(Bucket, AShareAdmitsThatPartOfTheUsers) {
  int admitted = 0;
  for (int i = 0; i < 100'000; ++i) {
    admitted += IsAdmitted(BucketOf("user-" + std::to_string(i)), *Share::FromPpm(100'000)) ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 10'000, 4 * 95);  // four standard deviations
}

TEST(Digest, DiffersWhereAnyFieldDoes) {
  const Directive directive{.gate = "shop", .version = {7, 1}, .share = Share::All()};
  Directive other = directive;
  EXPECT_EQ(DigestOf(directive), DigestOf(other));
  other.no_raise = true;
  EXPECT_NE(DigestOf(directive), DigestOf(other));
  other = directive;
  other.gate = "shop2";
  EXPECT_NE(DigestOf(directive), DigestOf(other));
  other = directive;
  other.version.revision = 2;
  EXPECT_NE(DigestOf(directive), DigestOf(other));
}

}  // namespace
}  // namespace headgate
