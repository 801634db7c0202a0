// The policies that follow no project's source, the person beside a peer, and the table of all.
#include "tests/bench/judgement/policies.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/bench/judgement/aimd.h"
#include "tests/bench/judgement/feed.h"
#include "tests/bench/judgement/flagger.h"
#include "tests/bench/judgement/poll.h"
#include "tests/bench/judgement/restarted.h"

namespace headgate::bench {
namespace {

TEST(Poll, ClimbsAStepAMinute) {
  Feed feed(MakePoll(kTestSite));
  feed.Errors(0, 59);
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 360);
  EXPECT_EQ(feed.share(), 100);
}

TEST(Poll, TakesAllOutAtTheThirdBadAnswerInARow) {
  Feed feed(MakePoll(kTestSite));
  feed.Errors(0.05, 14);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  feed.Errors(0.05, 15);
  EXPECT_EQ(feed.retreated_at_s(), 15);
  EXPECT_EQ(feed.share(), 0);
}

TEST(Poll, ForgetsStrikesAtAGoodAnswer) {
  Feed feed(MakePoll(kTestSite));
  feed.Errors(0.012, 10);
  // The ratio over all that it has seen falls below the limit.
  feed.Errors(0, 60);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
  EXPECT_EQ(feed.share(), 5);
}

TEST(Poll, IgnoresWhatItCannotReadAndWatchesAt100Percent) {
  Feed feed(MakePoll(kTestSite));
  feed.Silence(360);
  EXPECT_EQ(feed.share(), 100);
  feed.Errors(0.05, 375);
  EXPECT_EQ(feed.retreated_at_s(), 375);
}

TEST(Aimd, GoesUpBySumsAndDownByHalves) {
  Feed feed(MakeAimd(kTestSite));
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 100);
  EXPECT_EQ(feed.share(), 51);
  feed.Errors(0.05, 105);
  EXPECT_EQ(feed.share(), 25.5);
  EXPECT_EQ(feed.retreated_at_s(), 105);
  feed.Errors(0, 110);
  EXPECT_EQ(feed.share(), 28);
  EXPECT_EQ(feed.retreats(), 1);
}

TEST(Aimd, HoldsWhileItSeesNothingAndNeverGoesBelowItsLeast) {
  Feed feed(MakeAimd(kTestSite));
  feed.Errors(0, 100);
  feed.Silence(200);
  EXPECT_EQ(feed.share(), 51);
  feed.Errors(0.5, 300);
  EXPECT_EQ(feed.share(), 1);
}

TEST(Aimd, NeverStopsWatching) {
  Feed feed(MakeAimd(kTestSite));
  feed.Errors(0, 3'000);
  EXPECT_EQ(feed.share(), 100);
  feed.Errors(0.05, 3'005);
  EXPECT_EQ(feed.share(), 50);
}

TEST(Restarted, BeginsAgainFromTheFirstStepTenMinutesAfterARollback) {
  Feed feed(RestartedByAPerson([] { return MakeFlagger(kTestSite, kFlaggerDefault); }));
  feed.Errors(0.05, 120);
  EXPECT_EQ(feed.retreated_at_s(), 120);
  feed.Errors(0.05, 719);
  EXPECT_EQ(feed.share(), 0);
  EXPECT_EQ(feed.retreats(), 1);
  feed.Errors(0, 720);
  EXPECT_EQ(feed.share(), 1);
  // With a clock, a window and a count of failures of its own.
  feed.Errors(0, 779);
  EXPECT_EQ(feed.share(), 1);
  feed.Errors(0, 780);
  EXPECT_EQ(feed.share(), 5);
}

TEST(Policies, AreThoseThatTheIssueNames) {
  std::set<std::string_view> names;
  for (const NamedPolicy& policy : Policies()) {
    EXPECT_TRUE(names.insert(policy.name).second) << policy.name;
    EXPECT_NE(policy.make(kTestSite), nullptr);
  }
  for (const char* name : {"flagger-60x5", "flagger-60x1", "flagger-10x5", "argo-5m", "argo-10s",
                           "kayenta", "poll5", "aimd"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

}  // namespace
}  // namespace headgate::bench
