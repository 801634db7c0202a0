#include "controller/rehearsal/score.h"

#include <gtest/gtest.h>

#include <vector>

namespace headgate::rehearsal {
namespace {

Scenario Of(Kind kind) {
  Scenario scenario;
  scenario.kind = kind;
  return scenario;
}

void Serve(Scorer& scorer, double served, int seconds) {
  for (int second = 0; second < seconds; ++second) {
    scorer.Add({.share = 1, .served = served}, false);
  }
}

TEST(Scorer, LostAreThoseWhoAreNotServedByTheMinute) {
  Scorer nobody(Of(Kind::kBearable));
  Serve(nobody, 0, 3'600);
  EXPECT_NEAR(nobody.Score().lost_kum, 1'200, 1e-6);
  Scorer most(Of(Kind::kBearable));
  Serve(most, 0.997, 3'600);
  EXPECT_NEAR(most.Score().lost_kum, 3.6, 1e-6);
}

TEST(Scorer, FullIsTheStartOfTheFirstMinuteAbove95Percent) {
  Scorer scorer(Of(Kind::kBearable));
  Serve(scorer, 0.5, 100);
  Serve(scorer, 0.95, 59);
  Serve(scorer, 0.94, 1);
  EXPECT_FALSE(scorer.Score().to_full_s.has_value());
  Serve(scorer, 0.95, 59);
  EXPECT_FALSE(scorer.Score().to_full_s.has_value());
  Serve(scorer, 0.95, 1);
  EXPECT_EQ(scorer.Score().to_full_s, 160);
  Serve(scorer, 0, 100);
  Serve(scorer, 1, 100);
  EXPECT_EQ(scorer.Score().to_full_s, 160);
}

TEST(Scorer, DelayRunsFromTheOnsetToTheFirstRetreat) {
  Scenario scenario = Of(Kind::kBad);
  scenario.onset.at_s = 10;
  Scorer scorer(scenario);
  Serve(scorer, 1, 5);
  scorer.Add({.share = 1}, true);
  Serve(scorer, 1, 11);
  EXPECT_FALSE(scorer.Score().delay_s.has_value());
  scorer.Add({.share = 1}, true);
  scorer.Add({.share = 1}, true);
  EXPECT_EQ(scorer.Score().delay_s, 7);
  EXPECT_EQ(scorer.Score().retreats, 3);
  EXPECT_EQ(scorer.Score().early_retreats, 1);
  EXPECT_EQ(scorer.Score().sound_s, 10);
}

TEST(Scorer, OnsetAboveAShareIsTheFirstSecondAboveIt) {
  Scenario scenario = Of(Kind::kBad);
  scenario.onset.above_share = 0.2;
  Scorer scorer(scenario);
  for (int second = 0; second < 8; ++second) scorer.Add({.share = 0.2}, false);
  scorer.Add({.share = 0.21}, false);
  scorer.Add({.share = 0.19}, true);
  EXPECT_EQ(scorer.Score().delay_s, 1);
}

TEST(Scorer, CountsErrorsAndCollapse) {
  Scorer scorer(Of(Kind::kMoving));
  scorer.Add({.errors = 2.5, .is_collapsed = true}, false);
  scorer.Add({.errors = 1}, false);
  EXPECT_EQ(scorer.Score().errors, 3.5);
  EXPECT_EQ(scorer.Score().collapse_s, 1);
}

TEST(Aggregated, TakesQuantilesAndMeansOverRuns) {
  std::vector<RunScore> runs;
  for (int run = 1; run <= 20; ++run) runs.push_back({.lost_kum = double(run), .errors = 3});
  const Aggregate all = Aggregated(Of(Kind::kMoving), runs);
  EXPECT_EQ(all.runs, 20);
  EXPECT_EQ(all.lost_kum.mean, 10.5);
  EXPECT_EQ(all.lost_kum.p05, 1);
  EXPECT_EQ(all.lost_kum.median, 10);
  EXPECT_EQ(all.lost_kum.p95, 19);
  EXPECT_EQ(all.errors.mean, 3);
  EXPECT_FALSE(all.false_retreats.has_value());
}

TEST(Aggregated, NeverIsLaterThanAnyTime) {
  const std::vector<RunScore> runs = {{.to_full_s = 60}, {.to_full_s = 90}, {}};
  const Aggregate most = Aggregated(Of(Kind::kMoving), runs);
  EXPECT_EQ(most.to_full_s.median, 90);
  EXPECT_FALSE(most.to_full_s.p95.has_value());
  EXPECT_EQ(most.to_full_s.mean, 75);
  const std::vector<RunScore> hardly = {{.to_full_s = 60}, {}, {}};
  EXPECT_FALSE(Aggregated(Of(Kind::kMoving), hardly).to_full_s.median.has_value());
}

TEST(Aggregated, OnlyABearableScenarioHasFalseRetreatsAndOnlyABadOneADelay) {
  const std::vector<RunScore> runs = {{.retreats = 2, .delay_s = 4}, {}, {}, {.delay_s = 8}};
  const Aggregate bearable = Aggregated(Of(Kind::kBearable), runs);
  EXPECT_EQ(bearable.false_retreats, 0.25);
  EXPECT_FALSE(bearable.delay_s.median.has_value());
  const Aggregate bad = Aggregated(Of(Kind::kBad), runs);
  EXPECT_FALSE(bad.false_retreats.has_value());
  EXPECT_EQ(bad.delay_s.median, 8);
  EXPECT_FALSE(bad.delay_s.p95.has_value());
}

TEST(Aggregated, RetreatsBeforeTheOnsetAreFalseOnesOfTheTimeBeforeIt) {
  const std::vector<RunScore> runs = {{.early_retreats = 3, .sound_s = 600}, {.sound_s = 1'200}};
  const Aggregate bad = Aggregated(Of(Kind::kBad), runs);
  EXPECT_EQ(bad.early_retreats, 0.5);
  EXPECT_EQ(bad.early_retreats_per_hour, 6);
  const std::vector<RunScore> at_once = {{.retreats = 2}};
  EXPECT_FALSE(Aggregated(Of(Kind::kBad), at_once).early_retreats.has_value());
}

}  // namespace
}  // namespace headgate::rehearsal
