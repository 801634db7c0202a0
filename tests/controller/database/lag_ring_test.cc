#include "controller/database/lag_ring.h"

#include <gtest/gtest.h>

namespace headgate::database {
namespace {

TimePoint At(int seconds) { return FromUnixMillis(1'000'000) + std::chrono::seconds(seconds); }

TEST(LagRing, TellsTheAgeOfTheOldestPositionThatWasNotReplayed) {
  LagRing ring;
  ring.Add(At(0), 100);
  ring.Add(At(1), 200);
  ring.Add(At(2), 300);
  EXPECT_EQ(ring.LagOf(300, At(5)), Duration(0));
  EXPECT_EQ(ring.LagOf(299, At(5)), Duration(3'000));
  EXPECT_EQ(ring.LagOf(100, At(5)), Duration(4'000));
  EXPECT_EQ(ring.LagOf(0, At(5)), Duration(5'000));
}

TEST(LagRing, HasNoLagWhileThePrimaryIsIdle) {
  LagRing ring;
  for (int second = 0; second < 60; ++second) ring.Add(At(second), 100);
  EXPECT_EQ(ring.LagOf(100, At(3'600)), Duration(0));
  // Only the first sight of a position counts.
  EXPECT_EQ(ring.LagOf(99, At(60)), Duration(60'000));
}

TEST(LagRing, StartsAnewWithAnotherPrimary) {
  LagRing ring;
  ring.Add(At(0), 500);
  ring.Add(At(1), 100);
  EXPECT_EQ(ring.LagOf(100, At(9)), Duration(0));
}

TEST(LagRing, ForgetsTheOldestBeyondItsLimit) {
  LagRing ring;
  const int entries = static_cast<int>(LagRing::kEntriesMax) + 10;
  for (int i = 0; i < entries; ++i) ring.Add(At(i), static_cast<std::uint64_t>(i) + 1);
  EXPECT_EQ(ring.LagOf(0, At(entries)), std::chrono::seconds(entries - 10));
}

}  // namespace
}  // namespace headgate::database
