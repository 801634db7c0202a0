#include "controller/engine/evidence.h"

#include <gtest/gtest.h>

namespace headgate::engine {
namespace {

constexpr TimePoint kStart{Duration(1'000'000)};
constexpr Duration kPush{250};

// 100 requests a second, pushed four times in each, until `to`.
void Load(Evidence& evidence, TimePoint from, TimePoint to) {
  for (TimePoint at = from; at <= to; at += kPush) {
    AddCounts(evidence, nullptr, "edge-1", {.admitted = 20, .refused = 5}, at);
  }
}

TEST(RequestsPerSecond, AreThoseOfTheTimeThatWasCounted) {
  Evidence evidence;
  Load(evidence, kStart, kStart + Duration(4'000));
  EXPECT_NEAR(RequestsPerSecond(evidence, "edge-1"), 100, 10);
  Load(evidence, kStart + Duration(4'250), kStart + Duration(60'000));
  EXPECT_NEAR(RequestsPerSecond(evidence, "edge-1"), 100, 10);
}

TEST(RequestsPerSecond, FollowALoadThatBegins) {
  Evidence evidence;
  for (TimePoint at = kStart; at < kStart + Duration(60'000); at += kPush) {
    AddCounts(evidence, nullptr, "edge-1", {}, at);
  }
  Load(evidence, kStart + Duration(60'000), kStart + Duration(70'000));
  EXPECT_NEAR(RequestsPerSecond(evidence, "edge-1"), 100, 10);
}

TEST(RequestsPerSecond, AreNoneOfAnAgentThatNobodyKnows) {
  EXPECT_EQ(RequestsPerSecond(Evidence(), "edge-1"), 0);
}

}  // namespace
}  // namespace headgate::engine
