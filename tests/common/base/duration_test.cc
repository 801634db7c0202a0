#include "common/base/duration.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

TEST(Duration, ReadsWhatPeopleWrite) {
  EXPECT_EQ(ParseDuration("500ms")->count(), 500);
  EXPECT_EQ(ParseDuration("1h30m")->count(), 5'400'000);
  EXPECT_EQ(ParseDuration("0s")->count(), 0);
}

TEST(Duration, RefusesTheRest) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5x", "99999999999999999999s", "1d2"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(Duration, FormatsAsItReads) {
  for (const std::int64_t millis :
       {0LL, 1LL, 500LL, 1'000LL, 61'000LL, 5'400'000LL, 86'400'000LL}) {
    EXPECT_EQ(ParseDuration(FormatDuration(Duration(millis)))->count(), millis);
  }
}

}  // namespace
}  // namespace headgate
