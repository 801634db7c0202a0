#include "common/base/rounded.h"

#include <gtest/gtest.h>

namespace headgate {
namespace {

TEST(Rounded, AreReadAtAGlance) {
  EXPECT_EQ(FormatRounded(Duration(0)), "0 s");
  EXPECT_EQ(FormatRounded(Duration(-5)), "0 s");
  EXPECT_EQ(FormatRounded(Duration(350)), "350 ms");
  EXPECT_EQ(FormatRounded(Duration(1'059)), "1 s");
  EXPECT_EQ(FormatRounded(Duration(1'250)), "1.2 s");
  EXPECT_EQ(FormatRounded(Duration(3'059)), "3 s");
  EXPECT_EQ(FormatRounded(Duration(3'999)), "3 s");
  EXPECT_EQ(FormatRounded(Duration(250'900)), "4 min 10 s");
  EXPECT_EQ(FormatRounded(Duration(900'000)), "15 min");
  EXPECT_EQ(FormatRounded(Duration(7'500'000)), "2 h 5 min");
}

TEST(Rounded, OnlyTheDurationsOfATextAreRewritten) {
  EXPECT_EQ(RoundDurations("preflight at 0 %, clear for 3s59ms of 4s"),
            "preflight at 0 %, clear for 3 s of 4 s");
  EXPECT_EQ(RoundDurations("62 of 20000 in 30s, watched for 3m12s400ms of 15m."),
            "62 of 20000 in 30 s, watched for 3 min 12 s of 15 min.");
  EXPECT_EQ(RoundDurations("no counts from it for over 500ms"),
            "no counts from it for over 500 ms");
  for (const char* same : {"edge-3s", "3sx", "rate(x[30s])", "30", "db1.4s", "5 %", "version 17.3",
                           "0.31 %", "8m8", "'30s' is wrong"}) {
    EXPECT_EQ(RoundDurations(same), same);
  }
}

}  // namespace
}  // namespace headgate
