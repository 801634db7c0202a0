#include "tests/bench/judgement/argo.h"

#include <gtest/gtest.h>

#include "tests/bench/judgement/feed.h"

namespace headgate::bench {
namespace {

TEST(Argo, ClimbsAStepAPauseWhenAllIsGood) {
  Feed feed(MakeArgo(kTestSite, kArgoDocumented));
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 299);
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 300);
  EXPECT_EQ(feed.share(), 5);
  feed.Errors(0, 1'800);
  EXPECT_EQ(feed.share(), 100);
}

TEST(Argo, AbortsWhenFailuresInTotalAreAboveTheLimit) {
  Feed feed(MakeArgo(kTestSite, kArgoDocumented));
  feed.Errors(0.05, 180);
  feed.Errors(0, 900);
  EXPECT_EQ(feed.share(), 25);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  feed.Errors(0.05, 960);
  EXPECT_EQ(feed.retreated_at_s(), 960);
  EXPECT_EQ(feed.share(), 0);
}

TEST(Argo, GoesOnClimbingWhileItsFailuresAreWithinTheLimit) {
  Feed feed(MakeArgo(kTestSite, kArgoDocumented));
  feed.Errors(0.05, 180);
  feed.Errors(0, 300);
  EXPECT_EQ(feed.share(), 5);
}

TEST(Argo, AbortsAtTheFirstFailureWhenItsLimitIsTheDefault) {
  Feed feed(MakeArgo(kTestSite, kArgoTight));
  feed.Errors(0.05, 10);
  EXPECT_EQ(feed.retreated_at_s(), 10);
}

TEST(Argo, RetriesAnErrorAfterTenSecondsAndAbortsAtTheFifthInARow) {
  Feed feed(MakeArgo(kTestSite, kArgoDocumented));
  feed.Errors(0, 59);
  feed.Silence(99);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  feed.Silence(100);
  EXPECT_EQ(feed.retreated_at_s(), 100);
}

TEST(Argo, ForgetsErrorsInARowAtTheFirstAnswer) {
  Feed feed(MakeArgo(kTestSite, kArgoDocumented));
  feed.Errors(0, 59);
  feed.Silence(90);
  feed.Errors(0, 159);
  feed.Silence(199);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  feed.Silence(200);
  EXPECT_EQ(feed.retreated_at_s(), 200);
}

TEST(Argo, TakesNotANumberForASuccess) {
  Feed feed(MakeArgo(kTestSite, kArgoTight));
  feed.Nobody(60);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  EXPECT_EQ(feed.share(), 100);
}

TEST(Argo, MeasuresDuringThePauseAt100PercentAndThenNeverAgain) {
  Feed late(MakeArgo(kTestSite, kArgoDocumented));
  late.Errors(0, 1'800);
  late.Errors(0.5, 2'040);
  EXPECT_EQ(late.retreated_at_s(), 2'040);
  Feed complete(MakeArgo(kTestSite, kArgoDocumented));
  complete.Errors(0, 2'100);
  complete.Errors(1, 3'600);
  EXPECT_FALSE(complete.retreated_at_s().has_value());
  EXPECT_EQ(complete.share(), 100);
}

}  // namespace
}  // namespace headgate::bench
