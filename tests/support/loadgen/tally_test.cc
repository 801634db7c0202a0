#include "tests/support/loadgen/tally.h"

#include <utility>

#include "common/base/bucket.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace headgate::loadgen {
namespace {

using nlohmann::json;

TEST(Tally, ASecondsLineHasItsCountsInSumAndByTenth) {
  Tally tally(10'000);
  tally.Sent();
  tally.Sent();
  tally.Late();
  tally.Answered(Answer::kPage, 10'010, 10'050);
  tally.Answered(Answer::kError, 10'010, 10'150);
  tally.Answered(Answer::kRefused, 10'010, 10'999);
  tally.Failed(11'003);  // the line comes a little late
  const json line = json::parse(tally.EndSecond({.users = 9, .seen = 3, .admitted_ever = 2}));
  EXPECT_EQ(line["kind"], "second");
  EXPECT_EQ(line["at_ms"], 10'000);
  EXPECT_EQ(line["sent"], 2);
  EXPECT_EQ(line["late"], 1);
  EXPECT_EQ(line["ok"], 1);
  EXPECT_EQ(line["errors"], 1);
  EXPECT_EQ(line["refused"], 1);
  EXPECT_EQ(line["failed"], 1);
  EXPECT_EQ(line["p99_ms"], 140);
  EXPECT_EQ(line["users_seen"], 3);
  EXPECT_EQ(line["tenths"].size(), 10u);
  EXPECT_EQ(line["tenths"][0], json({1, 0, 0, 0}));
  EXPECT_EQ(line["tenths"][1], json({0, 1, 0, 0}));
  EXPECT_EQ(line["tenths"][9], json({0, 0, 1, 1}));
  const json next = json::parse(tally.EndSecond({}));
  EXPECT_EQ(next["at_ms"], 11'000);
  EXPECT_EQ(next["ok"], 0);
  const json summary = json::parse(tally.Summary({.users = 9}, 12'500));
  EXPECT_EQ(summary["seconds"], 2);
  EXPECT_EQ(summary["sent"], 2);
  EXPECT_EQ(summary["errors"], 1);
  EXPECT_EQ(summary["users"], 9);
}

TEST(Tally, AnErrorIsTheFirstWhenAQuietSecondCameBefore) {
  Tally tally(0);
  EXPECT_TRUE(tally.Answered(Answer::kError, 5'000, 5'000).has_value());
  EXPECT_FALSE(tally.Answered(Answer::kError, 5'000, 5'999).has_value());
  EXPECT_FALSE(tally.Answered(Answer::kError, 5'000, 6'998).has_value());
  const auto line = tally.Answered(Answer::kError, 5'000, 7'998);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(json::parse(*line), json({{"kind", "first_error"}, {"at_ms", 7'998}}));
}

TEST(Tally, WhoIsTakenOutIsNamedWithTheBucketOfTheCookiesValue) {
  Tally tally(0);
  const json line = json::parse(tally.TakenOutLine(
      {.cookie = "headgate_uid=a.b", .admitted_sent_ms = 1, .refused_sent_ms = 2, .refused_ms = 3},
      42));
  EXPECT_EQ(line["user"], 42);
  EXPECT_EQ(line["bucket"], BucketOf("a.b"));
  EXPECT_EQ(line["refused_ms"], 3);
  EXPECT_EQ(json::parse(tally.EndSecond({}))["taken_out"], 1);
}

TEST(Tally, ARefusalIsALowerOneWhenNoneSoLowCameInThisTenthOrTheOneBefore) {
  // Two cookies whose buckets are known to differ.
  std::string low = "headgate_uid=a";
  std::string high = "headgate_uid=b";
  if (BucketOf("b") < BucketOf("a")) std::swap(low, high);
  Tally tally(0);
  EXPECT_FALSE(tally.Refused("", 5).has_value()) << "nobody was promised anything";
  const auto first = tally.Refused(high, 10);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(json::parse(*first), json({{"kind", "refused_lower"},
                                       {"at_ms", 10},
                                       {"bucket", BucketOf(high.substr(high.find('=') + 1))}}));
  EXPECT_TRUE(tally.Refused(low, 20).has_value());
  EXPECT_FALSE(tally.Refused(high, 99).has_value());
  EXPECT_FALSE(tally.Refused(high, 199).has_value()) << "low came in the tenth before";
  EXPECT_TRUE(tally.Refused(low, 299).has_value());
  EXPECT_TRUE(tally.Refused(high, 400).has_value()) << "nobody came in the tenth before";
}

}  // namespace
}  // namespace headgate::loadgen
