#include "common/base/clock.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

TEST(SteadyClock, NeverStandsBeforeItsJournalAndStillTellsTheWallClock) {
  const SteadyClock today;
  const TimePoint tomorrow = today.WallNow() + std::chrono::hours(24);
  const SteadyClock clock(tomorrow);
  EXPECT_GE(clock.Now(), tomorrow);
  EXPECT_LT(clock.WallNow(), tomorrow);
}

TEST(ManualClock, KeepsItsOwnTimeWhenTheWallClockIsSet) {
  const TimePoint start = FromUnixMillis(1'723'658'400'000);
  ManualClock clock(start);
  clock.StepWall(-std::chrono::hours(1));
  clock.Advance(Duration(5));
  EXPECT_EQ(clock.Now(), start + Duration(5));
  EXPECT_EQ(clock.WallNow(), start + Duration(5) - std::chrono::hours(1));
}

}  // namespace
}  // namespace headgate
