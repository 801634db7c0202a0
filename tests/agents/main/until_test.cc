#include "agents/main/until.h"

#include <gtest/gtest.h>

namespace headgate::agent {
namespace {

// 2024-08-14 18:00:00 UTC.
const TimePoint kNow = FromUnixMillis(1'723'658'400'000);

TEST(ParseUntil, TakesDurationsAndTimes) {
  EXPECT_EQ(*ParseUntil("30m", kNow), kNow + std::chrono::minutes(30));
  EXPECT_EQ(*ParseUntil("2024-08-14T18:30:00Z", kNow), kNow + std::chrono::minutes(30));
  EXPECT_EQ(*ParseUntil("2024-08-14T20:30:00+02:00", kNow), kNow + std::chrono::minutes(30));
  EXPECT_EQ(*ParseUntil("2024-08-14T13:00:00-05:30", kNow), kNow + std::chrono::minutes(30));
}

TEST(ParseUntil, RefusesThePastTheFarFutureAndNonsense) {
  for (const char* text :
       {"", "soon", "0s", "8761h", "2024-08-14T17:59:59Z", "2025-08-14T18:00:00Z",
        "2024-02-31T18:00:00Z", "2024-08-14T18:30:00", "2024-08-14T18:30:00Zx", "18:30"}) {
    EXPECT_FALSE(ParseUntil(text, kNow).ok()) << text;
  }
}

}  // namespace
}  // namespace headgate::agent
