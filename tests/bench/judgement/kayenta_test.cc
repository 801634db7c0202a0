#include "tests/bench/judgement/kayenta.h"

#include <gtest/gtest.h>

#include <vector>

#include "controller/rehearsal/draw.h"
#include "tests/bench/judgement/feed.h"
#include "tests/bench/judgement/mann_whitney.h"

namespace headgate::bench {
namespace {

using rehearsal::Draw;
using rehearsal::Purpose;

constexpr double kAt95Percent = 1.959963984540054;

// The values of Kayenta's own MannWhitneySuite.
TEST(MannWhitney, GivesTheIntervalThatKayentaExpects) {
  const std::vector<double> control = {1, 2, 3, 4};
  const std::vector<double> experiment = {10, 20, 30, 40};
  const std::optional<Shift> shift = ShiftBetween(control, experiment, kAt95Percent);
  ASSERT_TRUE(shift.has_value());
  EXPECT_NEAR(shift->low, 6, 1e-3);
  EXPECT_NEAR(shift->high, 39, 1e-3);
  EXPECT_GT(shift->estimate, 16);
  EXPECT_LT(shift->estimate, 29);
}

TEST(MannWhitney, FindsTheShiftOfAShiftedSample) {
  std::vector<double> control;
  std::vector<double> experiment;
  for (int at = 0; at < 40; ++at) {
    control.push_back(at * 0.01);
    experiment.push_back(5 + at * 0.01);
  }
  const std::optional<Shift> shift = ShiftBetween(control, experiment, kAt95Percent);
  ASSERT_TRUE(shift.has_value());
  EXPECT_NEAR(shift->estimate, 5, 0.011);
  EXPECT_LT(shift->low, 5);
  EXPECT_GT(shift->low, 4.9);
  EXPECT_GT(shift->high, 5);
}

TEST(MannWhitney, SaysNothingWhenAllAreTied) {
  const std::vector<double> zeros = {0, 0, 0};
  EXPECT_FALSE(ShiftBetween(zeros, std::vector<double>{0, 0}, kAt95Percent).has_value());
}

TEST(KayentaJudge, IsHighOnlyForAClearShiftUpward) {
  const std::vector<double> control = {1.0, 1.1, 0.9, 1.05, 0.95};
  const std::vector<double> higher = {2.0, 2.1, 1.9, 2.05, 1.95};
  const std::vector<double> mixed = {1.02, 1.12, 0.8, 1.0, 2.0};
  EXPECT_EQ(Classify(control, higher), Classification::kHigh);
  EXPECT_EQ(Classify(higher, control), Classification::kPass);
  EXPECT_EQ(Classify(control, mixed), Classification::kPass);
  EXPECT_EQ(Classify(control, control), Classification::kPass);
  EXPECT_EQ(Classify(control, {}), Classification::kNoData);
}

// It judges rates and throws the counts away: at 600 requests a minute, five minutes of twice the
// errors are found in about a fifth of all cases.
TEST(KayentaJudge, MissesMostDoublingsOfTheErrorsInFiveMinutes) {
  constexpr int kTrials = 2'000;
  int found = 0;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    Draw one(trial, Purpose::kErrors, 1);
    Draw two(trial, Purpose::kErrors, 2);
    std::vector<double> control;
    std::vector<double> experiment;
    for (int minute = 0; minute < 5; ++minute) {
      control.push_back(double(one.Binomial(600, 0.01)) / 600);
      experiment.push_back(double(two.Binomial(600, 0.02)) / 600);
    }
    found += Classify(control, experiment) == Classification::kHigh ? 1 : 0;
  }
  EXPECT_GT(found, kTrials * 0.12);
  EXPECT_LT(found, kTrials * 0.30);
}

TEST(Kayenta, JudgesAtTheEndOfEachStep) {
  Feed good(MakeKayenta(kTestSite));
  good.Errors(0.003, 299);
  EXPECT_EQ(good.share(), 1);
  good.Errors(0.003, 300);
  EXPECT_EQ(good.share(), 5);
  Feed bad(MakeKayenta(kTestSite));
  bad.Errors(0.05, 299);
  EXPECT_EQ(bad.share(), 1);
  bad.Errors(0.05, 300);
  EXPECT_EQ(bad.retreated_at_s(), 300);
  EXPECT_EQ(bad.share(), 0);
}

TEST(Kayenta, FailsForSlowAnswersToo) {
  Feed feed(MakeKayenta(kTestSite));
  feed.Slow(0.1, 300);
  EXPECT_EQ(feed.retreated_at_s(), 300);
}

TEST(Kayenta, LeavesMinutesWithoutTrafficOutAndFailsWithoutAny) {
  Feed one_minute(MakeKayenta(kTestSite));
  one_minute.Errors(0.003, 60);
  one_minute.Nobody(300);
  EXPECT_EQ(one_minute.share(), 5);
  Feed none(MakeKayenta(kTestSite));
  none.Nobody(300);
  EXPECT_EQ(none.retreated_at_s(), 300);
}

TEST(Kayenta, JudgesNothingAfterTheLastStep) {
  Feed feed(MakeKayenta(kTestSite));
  feed.Errors(0, 1'800);
  EXPECT_EQ(feed.share(), 100);
  feed.Errors(1, 3'600);
  EXPECT_FALSE(feed.retreated_at_s().has_value());
}

}  // namespace
}  // namespace headgate::bench
