#include "tests/bench/judgement/flagger.h"

#include <gtest/gtest.h>

#include "tests/bench/judgement/feed.h"

namespace headgate::bench {
namespace {

TEST(Flagger, ClimbsAStepAnIntervalWhenAllIsGood) {
  Feed feed(MakeFlagger(kTestSite, kFlaggerTutorial));
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 59);
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 60);
  EXPECT_EQ(feed.share(), 5);
  feed.Errors(0, 359);
  EXPECT_EQ(feed.share(), 75);
  feed.Errors(0, 360);
  EXPECT_EQ(feed.share(), 100);
}

TEST(Flagger, TestsItsThresholdOneTickLate) {
  Feed feed(MakeFlagger(kTestSite, kFlaggerTutorial));
  feed.Errors(0.05, 300);
  // The fifth failed check is counted now, and acts at the next tick.
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0.05, 359);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  feed.Errors(0.05, 360);
  EXPECT_EQ(feed.retreated_at_s(), 360);
  EXPECT_EQ(feed.share(), 0);
}

TEST(Flagger, RollsBackAtTheLateTickEvenIfAllIsGoodAgain) {
  Feed feed(MakeFlagger(kTestSite, kFlaggerDefault));
  feed.Errors(0.05, 60);
  feed.Errors(0, 120);
  EXPECT_EQ(feed.retreated_at_s(), 120);
}

TEST(Flagger, CountsFailuresForTheWholeRun) {
  Feed feed(MakeFlagger(kTestSite, {.interval_s = 10, .threshold = 3, .range_s = 10}));
  for (const std::int64_t bad_until_s : {10, 30}) {
    feed.Errors(0.05, bad_until_s);
    feed.Errors(0, bad_until_s + 10);
  }
  EXPECT_EQ(feed.share(), 10);
  // Neither of the two successes took a failure away: this one is the third.
  feed.Errors(0.05, 50);
  feed.Errors(0, 60);
  EXPECT_EQ(feed.retreated_at_s(), 60);
}

TEST(Flagger, DoesNotClimbInATickThatFailed) {
  Feed feed(MakeFlagger(kTestSite, kFlaggerTutorial));
  feed.Errors(0.05, 60);
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 120);
  EXPECT_EQ(feed.share(), 5);
}

TEST(Flagger, TakesNoTrafficAndNoAnswerForFailures) {
  Feed nobody(MakeFlagger(kTestSite, kFlaggerDefault));
  nobody.Nobody(120);
  EXPECT_EQ(nobody.retreated_at_s(), 120);
  Feed silence(MakeFlagger(kTestSite, kFlaggerDefault));
  silence.Silence(120);
  EXPECT_EQ(silence.retreated_at_s(), 120);
}

TEST(Flagger, TakesARatioAtTheLimitForGoodAndSlowAnswersForBad) {
  Feed at_the_limit(MakeFlagger(kTestSite, kFlaggerDefault));
  at_the_limit.Errors(0.01, 120);
  EXPECT_EQ(at_the_limit.share(), 10);
  Feed slow(MakeFlagger(kTestSite, kFlaggerDefault));
  slow.Slow(0.02, 120);
  EXPECT_EQ(slow.retreated_at_s(), 120);
}

TEST(Flagger, AnalysesOnceMoreAt100PercentAndThenNeverAgain) {
  Feed late(MakeFlagger(kTestSite, kFlaggerDefault));
  late.Errors(0, 360);
  late.Errors(0.5, 480);
  EXPECT_EQ(late.retreated_at_s(), 480);
  Feed promoted(MakeFlagger(kTestSite, kFlaggerDefault));
  promoted.Errors(0, 420);
  promoted.Errors(1, 3'600);
  EXPECT_FALSE(promoted.retreated_at_s().has_value());
  EXPECT_EQ(promoted.share(), 100);
}

}  // namespace
}  // namespace headgate::bench
