// Runs of a plan: reproducible, complete, and weighed for pictures.
#include "controller/rehearsal/rehearsal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/controller/rehearsal/plans.h"

namespace headgate::rehearsal {
namespace {

Rehearsal Of(const char* scenario, std::size_t threads = 1, std::uint64_t seed = 3) {
  return {.plan = PlanOf(ShopSpec()),
          .scenario = FindScenario(scenario).value(),
          .seed = seed,
          .runs = 6,
          .threads = threads};
}

std::vector<double> LostIn(const std::vector<RunResult>& results) {
  std::vector<double> lost;
  for (const RunResult& result : results) lost.push_back(result.score.lost_kum);
  return lost;
}

TEST(Rehearsal, GivesTheSameRunsForTheSameSeedWhateverTheThreads) {
  const std::vector<double> one = LostIn(Rehearse(Of("H3"), nullptr));
  EXPECT_EQ(one, LostIn(Rehearse(Of("H3", 3), nullptr)));
  EXPECT_NE(one, LostIn(Rehearse(Of("H3", 1, 4), nullptr)));
  EXPECT_EQ(one.size(), 6U);
}

TEST(Rehearsal, StopsWhenItIsTold) {
  std::size_t told = 0;
  const auto results = Rehearse(Of("H1"), [&](std::size_t done) {
    told = done;
    return done < 2;
  });
  EXPECT_TRUE(results.empty());
  EXPECT_EQ(told, 2U);
}

TEST(Rehearsal, TellsHowARunEndedThatDidNotGetThere) {
  Scenario night = FindScenario("H6").value();
  const RunResult result = RehearseOnce(PlanOf(ShopSpec()), night, 1);
  EXPECT_EQ(result.share.ppm(), 10'000U);
  EXPECT_EQ(result.phase, "ADMITTING");
  EXPECT_THAT(result.doing, testing::HasSubstr("admitting 1 %"));
  // Its step lasts too long.
  EXPECT_TRUE(result.asks_for_a_person);
  ASSERT_TRUE(result.call.has_value());
  EXPECT_NEAR(result.call->at_s, 300, 10);
  EXPECT_THAT(result.call->why, testing::HasSubstr("ADMITTING at 1 % for longer than 5m"));
  EXPECT_THAT(result.waits_for, testing::Contains(testing::HasSubstr("waits for 50 requests")));
}

TEST(Rehearsal, RemembersACallForAPersonThatIsOver) {
  const RunResult result = RehearseOnce(PlanOf(ShopSpec()), FindScenario("H8").value(), 1);
  EXPECT_EQ(result.share, Share::All());
  EXPECT_FALSE(result.asks_for_a_person);
  EXPECT_TRUE(result.call.has_value());
  EXPECT_GT(result.served_at_end, 0.95);
}

TEST(Rehearsal, RecordsEverySecondAndEveryDecisionWithoutChangingTheRun) {
  const engine::Plan plan = PlanOf(ShopSpec());
  const Scenario scenario = FindScenario("B6").value();
  RunRecord record;
  const RunResult drawn = RehearseOnce(plan, scenario, 5, &record);
  EXPECT_EQ(drawn.score.lost_kum, RehearseOnce(plan, scenario, 5).score.lost_kum);
  EXPECT_EQ(record.moments.size(), 3'600U);
  EXPECT_EQ(record.moments.back().seen.at_s, 3'600);
  EXPECT_TRUE(std::ranges::any_of(record.decisions, &Decision::is_retreat));
}

TEST(Weighing, ReachesARetreatOrARaiseWhenOneComes) {
  RunRecord record;
  RehearseOnce(PlanOf(ShopSpec()), FindScenario("B6").value(), 5, &record);
  const auto retreat = std::ranges::find_if(record.decisions, &Decision::is_retreat);
  ASSERT_NE(retreat, record.decisions.end());
  // Before the onset little speaks against the share; in the last seconds before the retreat much.
  double before = 0;
  double last = 0;
  for (const Moment& moment : record.moments) {
    const double at = double(moment.seen.at_s);
    EXPECT_GE(moment.weighing.against, 0);
    EXPECT_LE(moment.weighing.against, 1);
    if (at > 100 && at < 240) before = std::max(before, moment.weighing.against);
    if (at < retreat->at_s) last = moment.weighing.against;
  }
  EXPECT_LT(before, 0.5);
  EXPECT_GT(last, 0.3);
  // The first step bakes before the second.
  const Moment& baking = record.moments[10];
  EXPECT_GT(baking.weighing.in_favour, 0);
}

TEST(Weighing, ShowsTheEvidenceThatAdaptiveStepsFollow) {
  RunRecord record;
  RehearseOnce(PlanOf(AdaptiveSpec()), FindScenario("B6").value(), 5, &record);
  const auto retreat = std::ranges::find_if(record.decisions, &Decision::is_retreat);
  ASSERT_NE(retreat, record.decisions.end());
  EXPECT_GT(retreat->at_s, 240);
  double before = 0;
  double rising = 0;
  double proven = 0;
  for (const Moment& moment : record.moments) {
    const double at = double(moment.seen.at_s);
    if (at < 240) before = std::max(before, moment.weighing.against);
    if (at > 240 && at < retreat->at_s) rising = std::max(rising, moment.weighing.against);
    if (at < 240) proven = std::max(proven, moment.weighing.in_favour);
  }
  EXPECT_LT(before, 0.7);
  EXPECT_GT(rising, before);
  EXPECT_GT(proven, 0.5);
}

}  // namespace
}  // namespace headgate::rehearsal
