// What those who wait are told while a restoration goes its way: a time only while it moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "controller/plan/plan.h"
#include "tests/controller/conductor/conductor_testing.h"

namespace headgate::conductor {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class OutlookTest : public ConductorTest {
 protected:
  const Outlook& told() { return stage_.agent("edge-1").outlooks.back(); }
  std::vector<Share> SharesTold() {
    std::vector<Share> shares;
    for (const Return& one : told().returns) shares.push_back(one.share);
    return shares;
  }
  bool NobodyKnowsWhen() {
    for (const Return& one : told().returns) {
      if (one.at) return false;
    }
    return true;
  }
  static Share Percent(const char* text) { return *Share::Parse(text); }
};

TEST_F(OutlookTest, AGateWithoutARestorationPromisesNothing) {
  OpenShopAt(0);
  stage_.Run(4s);
  EXPECT_THAT(told().returns, IsEmpty());
}

TEST_F(OutlookTest, WhileItMovesEachStepHasATimeAndComesAbout) {
  OpenShopAt(0);
  RampTo(10);
  stage_.Run(300ms);
  EXPECT_THAT(SharesTold(), testing::ElementsAre(Percent("50%"), Share::All()));
  ASSERT_FALSE(NobodyKnowsWhen());
  const TimePoint half = *told().returns[0].at;
  const TimePoint all = *told().returns[1].at;
  EXPECT_GT(half, stage_.now());
  EXPECT_GT(all, half);
  ASSERT_TRUE(stage_.RunUntil([&] { return stage_.gate().share == Percent("50%"); }));
  EXPECT_LT(std::chrono::abs(stage_.now() - half), 5s);
  ASSERT_TRUE(stage_.RunUntil([&] { return stage_.gate().share == Share::All(); }));
  EXPECT_LT(std::chrono::abs(stage_.now() - all), 10s);
  stage_.Run(3'500ms);
  EXPECT_THAT(told().returns, IsEmpty());
}

TEST_F(OutlookTest, AdaptiveStepsAreForetoldByTheNextStride) {
  OpenShopAt(0);
  const auto plan = plan::LoadPlan(
      "gate: shop\n"
      "preflight: {agents: [edge-1, edge-2], ready_for: 1s}\n"
      "checks: [{name: errors, ratio: agents.http_5xx, limit: 1%, window: 5s}]\n"
      "ramp: {steps: adaptive}\n",
      "p.yaml");
  ASSERT_TRUE(plan.ok()) << plan.status();
  stage_.Do(engine::StartRestoration{*plan, true});
  ASSERT_TRUE(stage_.RunUntil([&] { return stage_.gate().share > Share::None(); }));
  stage_.Run(300ms);
  ASSERT_FALSE(told().returns.empty());
  EXPECT_TRUE(IsSound(told()));
  EXPECT_EQ(told().returns.back().share, Share::All());
  ASSERT_TRUE(told().returns.back().at);
  const Duration foretold = *told().returns.back().at - stage_.now();
  const TimePoint before = stage_.now();
  ASSERT_TRUE(stage_.RunUntil([&] { return stage_.gate().share == Share::All(); }, 300s));
  const Duration took = stage_.now() - before;
  // A healthy platform grows its strides, so that it is sooner than was said; by how much is rough.
  EXPECT_LE(took, foretold + 10s);
  EXPECT_GE(took * 10, foretold);
  RecordProperty("foretold_s", std::to_string(foretold.count() / 1000));
  RecordProperty("took_s", std::to_string(took.count() / 1000));
}

TEST_F(OutlookTest, AHoldKeepsThePlacesAndTakesTheTimesAtOnce) {
  OpenShopAt(0);
  RampTo(10);
  stage_.Run(300ms);
  ASSERT_FALSE(NobodyKnowsWhen());
  stage_.Do(engine::Hold{});
  stage_.Run(200ms);
  EXPECT_THAT(told().returns, SizeIs(2));
  EXPECT_TRUE(NobodyKnowsWhen());
}

TEST_F(OutlookTest, ARetreatIsNoMatterOfTime) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(300ms);
  ASSERT_FALSE(NobodyKnowsWhen());
  stage_.errors = 0.5;
  ASSERT_TRUE(stage_.RunUntil([&] { return stage_.gate().share < Percent("50%"); }));
  stage_.Run(3'500ms);
  ASSERT_FALSE(told().returns.empty());
  EXPECT_TRUE(NobodyKnowsWhen());
}

TEST_F(OutlookTest, AnotherTimeIsNoReasonForAnotherVersion) {
  OpenShopAt(0);
  RampTo(10);
  stage_.agent("edge-2").reaches = fleet::Stage::kApplied;
  stage_.Run(300ms);
  const Version before = stage_.gate().version;
  const Outlook first = told();
  // True to the minute: as it was told. When the step takes longer than its bake at most nobody
  // knows.
  const std::size_t times = stage_.agent("edge-1").outlooks.size();
  stage_.Run(3'200ms);
  EXPECT_GT(stage_.agent("edge-1").outlooks.size(), times);
  EXPECT_EQ(stage_.agent("edge-1").sent.back().version, before);
  EXPECT_EQ(told(), first);
  stage_.Run(60s);
  EXPECT_EQ(stage_.agent("edge-1").sent.back().version, before);
  EXPECT_TRUE(NobodyKnowsWhen());
}

TEST(Outlook, StaysAsItWasToldWhileItIsTrueToTheMinute) {
  const TimePoint at = FromUnixMillis(1'723'658'400'000);
  const Outlook told{{{Share::All(), at}}};
  EXPECT_EQ(Steadied(told, {{{Share::All(), at + 59s}}}), told);
  const Outlook later{{{Share::All(), at + 61s}}};
  EXPECT_EQ(Steadied(told, later), later);
  const Outlook unknown{{{Share::All(), {}}}};
  EXPECT_EQ(Steadied(told, unknown), unknown);
}

TEST(Outlook, OfManyStepsTheLastIsAmongThoseThatAreTold) {
  Outlook many;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    many.returns.push_back({*Share::FromPpm(i * 10'000), FromUnixMillis(i)});
  }
  const Outlook few = Thinned(many);
  EXPECT_LE(few.returns.size(), kReturnsMax);
  EXPECT_EQ(few.returns.back().share, Share::All());
  EXPECT_TRUE(IsSound(few));
  EXPECT_FALSE(IsSound(many));
  EXPECT_FALSE(IsSound({{{Share::All(), {}}, {Share::None(), {}}}}));
}

}  // namespace
}  // namespace headgate::conductor
