// Plans that cannot work are doubted, with what to write instead; those that can are not.
#include "controller/rehearsal/doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "controller/rehearsal/rehearsal.h"
#include "tests/controller/rehearsal/plans.h"

namespace headgate::rehearsal {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

auto Says(const std::string& path, const std::string& text) {
  return AllOf(Field(&Doubt::path, path), Field(&Doubt::text, HasSubstr(text)));
}

engine::RatioCheck& ErrorsOf(engine::PlanSpec& spec) {
  return std::get<engine::RatioCheck>(spec.checks[0].kind);
}

TEST(Doubts, ThereAreNoneOfAPlanThatWorks) {
  const engine::PlanSpec spec = ShopSpec();
  EXPECT_THAT(FindDoubts(spec), IsEmpty());
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 2'000), IsEmpty());
  EXPECT_THAT(FindDoubtsOfPlatform(spec, FindScenario("H1").value()), IsEmpty());
  EXPECT_THAT(FindDoubtsOfPlatform(spec, FindScenario("B1").value()), IsEmpty());
}

TEST(Doubts, ASampleThatTheFirstStepNeverGivesIsNamedWithBothWaysOut) {
  const engine::PlanSpec spec = ShopSpec();
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 40),
              ElementsAre(Says("checks[0].min_sample",
                               "at 40 requests/s the first step of 1 % brings about 12 requests in "
                               "a window of 30s, and check errors waits for 50: the ramp would "
                               "stay there; write window: 7m and bake: 7m..14m, or a first step "
                               "of 25 %"),
                          Says("checks[1].min_sample", "check slow waits for 50")));
}

TEST(Doubts, ASampleThatNoTrafficGivesIsToBeSmaller) {
  engine::PlanSpec spec = ShopSpec();
  ErrorsOf(spec).min_sample = 1'000'000;
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 2'000),
              ElementsAre(Says("checks[0].min_sample", "stay there; write min_sample: 520")));
  engine::PlanSpec adaptive = AdaptiveSpec();
  ErrorsOf(adaptive).min_sample = 1'000'000;
  EXPECT_THAT(FindDoubtsOfTraffic(adaptive, 2'000),
              ElementsAre(Says("checks[0].min_sample", "check errors would never do that")));
}

TEST(Doubts, ALimitThatNoTrafficTellsIsToBeLarger) {
  for (engine::PlanSpec spec : {ShopSpec(), AdaptiveSpec()}) {
    ErrorsOf(spec).limit_ppm = 1;
    EXPECT_THAT(FindDoubtsOfTraffic(spec, 2'000),
                ElementsAre(Says("ramp.bake", "; write limit: 0.")));
  }
}

TEST(Doubts, ALimitThatIsNoneIsNamed) {
  engine::PlanSpec spec = ShopSpec();
  ErrorsOf(spec).limit_ppm = 990'000;
  EXPECT_THAT(FindDoubts(spec), ElementsAre(Says("checks[0].limit", "allows 99 %: hardly any")));
}

TEST(Doubts, ABakeInWhichTwiceTheLimitWouldNotShowIsNamed) {
  engine::PlanSpec spec = ShopSpec();
  ErrorsOf(spec).limit_ppm = 1'000;
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 2'000),
              ElementsAre(Says("ramp.bake",
                               "is judged on about 250 requests, in which twice the limit of 0.1 % "
                               "would give 0.5 bad ones")));
  spec.bake_min = Duration(75'000);
  ErrorsOf(spec).window = Duration(75'000);
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 2'000), IsEmpty());
}

TEST(Doubts, TheTrafficThatAPlanNeedsIsEnoughForIt) {
  for (const std::uint32_t limit_ppm : {100U, 1'000U, 10'000U, 50'000U}) {
    engine::PlanSpec spec = ShopSpec();
    ErrorsOf(spec).limit_ppm = limit_ppm;
    const double needed = RpsNeeded(spec);
    EXPECT_GT(needed, 0);
    EXPECT_THAT(FindDoubtsOfTraffic(spec, needed), IsEmpty()) << limit_ppm;
    EXPECT_FALSE(FindDoubtsOfTraffic(spec, needed * 0.9).empty()) << limit_ppm;
  }
}

TEST(Doubts, AdaptiveStepsNeedNextToNoTraffic) {
  const engine::PlanSpec spec = AdaptiveSpec();
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 40), IsEmpty());
  const double needed = RpsNeeded(spec);
  EXPECT_GT(needed, 0.5);
  EXPECT_LT(needed, 10);
  EXPECT_THAT(FindDoubtsOfTraffic(spec, needed), IsEmpty());
  EXPECT_THAT(FindDoubtsOfTraffic(spec, needed / 2),
              ElementsAre(Says("ramp.bake", "after which a person is called; write bake: 7s..")));
}

TEST(Doubts, AFirstShareThatIsProvenTooLateIsNamedWithOneThatIsNot) {
  engine::PlanSpec spec = AdaptiveSpec();
  spec.adaptive->first = Share::FromPpm(10'000).value();
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 40),
              ElementsAre(Says("ramp.bake", "the first share of 1 % brings 0.4 a second")));
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 40), ElementsAre(Says("ramp.bake", "or first: 6%")));
}

TEST(Doubts, APrometheusIsNotJudgedByTheTrafficOfTheGate) {
  engine::PlanSpec spec = ShopSpec();
  spec.checks = {
      {.name = "payments",
       .kind = engine::RatioCheck{.source = engine::PrometheusRatio{.bad = "bad", .total = "total"},
                                  .limit_ppm = 10'000}}};
  EXPECT_THAT(FindDoubtsOfTraffic(spec, 1), IsEmpty());
  EXPECT_EQ(RpsNeeded(spec), 0);
}

TEST(Doubts, AWatchThatEndsWithinAWindowIsNamed) {
  engine::PlanSpec spec = ShopSpec();
  spec.watch = Duration(10'000);
  EXPECT_THAT(FindDoubts(spec), ElementsAre(Says("then.watch", "10s is shorter than the window")));
}

TEST(Doubts, ALimitBelowWhatIsNormalIsNamed) {
  engine::PlanSpec spec = ShopSpec();
  ErrorsOf(spec).limit_ppm = 2'000;
  EXPECT_THAT(FindDoubtsOfPlatform(spec, FindScenario("H1").value()),
              ElementsAre(Says("checks[0].limit",
                               "check errors allows 0.2 %, and on platform H1 (healthy) 0.3 % are "
                               "errors when nothing is wrong")));
}

TEST(Doubts, AThresholdBelowTheNormalLatencyIsNamed) {
  engine::PlanSpec spec = ShopSpec();
  Scenario slow = FindScenario("H1").value();
  slow.latency.slow_above_s = 0.1;
  EXPECT_THAT(FindDoubtsOfPlatform(spec, slow),
              ElementsAre(Says("checks[1].limit", "6.76 % are slow")));
}

TEST(Doubts, ALimitThatNormallySlowAnswersBrakeIsNamed) {
  engine::PlanSpec spec = AdaptiveSpec();
  Scenario slow = FindScenario("H1").value();
  slow.latency.slow_above_s = 0.1;
  for (const std::uint32_t limit_ppm : {50'000U, 80'000U}) {
    std::get<engine::RatioCheck>(spec.checks[1].kind).limit_ppm = limit_ppm;
    EXPECT_LT(RehearseOnce(PlanOf(spec), slow, 1).share, Share::All());
    EXPECT_THAT(FindDoubtsOfPlatform(spec, slow),
                ElementsAre(Says("checks[1].limit",
                                 "the share would not rise there; write limit: "
                                 "14 % or more")));
  }
  std::get<engine::RatioCheck>(spec.checks[1].kind).limit_ppm = 140'000;
  EXPECT_THAT(FindDoubtsOfPlatform(spec, slow), IsEmpty());
  EXPECT_EQ(RehearseOnce(PlanOf(spec), slow, 1).share, Share::All());
}

TEST(Doubts, AUtilisationLimitBelowWhatEverybodyNeedsIsNamed) {
  engine::PlanSpec spec = AdaptiveSpec();
  const Scenario healthy = FindScenario("H1").value();
  spec.adaptive->utilisation_limit_ppm = 100'000;
  EXPECT_LT(RehearseOnce(PlanOf(spec), healthy, 1).share, Share::All());
  EXPECT_THAT(FindDoubtsOfPlatform(spec, healthy),
              ElementsAre(Says("ramp.utilisation_limit",
                               "everybody needs 33.3 %: the share would "
                               "stay near 31 %; write "
                               "utilisation_limit: 50 % or more")));
  spec.adaptive->utilisation_limit_ppm = 500'000;
  EXPECT_THAT(FindDoubtsOfPlatform(spec, healthy), IsEmpty());
  EXPECT_EQ(RehearseOnce(PlanOf(spec), healthy, 1).share, Share::All());
}

TEST(Doubts, ThereAreNoneOfBuiltInPlatformsWithAnOrdinaryPlan) {
  for (const engine::PlanSpec& spec : {ShopSpec(), AdaptiveSpec()}) {
    for (const char* name : {"H1", "H2", "H6", "H8", "M1", "M3"}) {
      EXPECT_THAT(FindDoubtsOfPlatform(spec, FindScenario(name).value()), IsEmpty()) << name;
    }
  }
}

TEST(Doubts, EveryPlatformWhoseErrorsNoCheckFindsIsNamed) {
  std::vector<Scenario> bad;
  for (const char* name : {"B1", "B2", "B3", "B6"}) bad.push_back(FindScenario(name).value());
  engine::PlanSpec spec = ShopSpec();
  EXPECT_THAT(FindBlindSpots(spec, bad), IsEmpty());
  ErrorsOf(spec).limit_ppm = 50'000;
  EXPECT_THAT(
      FindBlindSpots(spec, bad),
      ElementsAre(Says("checks[0].limit",
                       "check errors allows 5 %, and platforms B1 errs 2 %, B2 errs 5 %, B6 "
                       "errs 5 %: that is never found; write a limit below 2 %, unless you "
                       "would bear so many errors")));
  spec.checks = {SlowCheck()};
  EXPECT_THAT(FindBlindSpots(spec, bad),
              ElementsAre(Says("checks", "no check counts errors, and platforms B1 errs 2 %, B2")));
}

TEST(Doubts, APlanThatDoesNotSeeLoadIsNamedOnce) {
  engine::PlanSpec spec = ShopSpec();
  spec.checks = {ErrorsCheck()};
  EXPECT_THAT(FindDoubts(spec), ElementsAre(Says("checks", "no check tells of load")));
  engine::PlanSpec adaptive = AdaptiveSpec();
  adaptive.checks = {ErrorsCheck()};
  EXPECT_THAT(FindDoubts(adaptive), IsEmpty());
  spec.checks.push_back(
      {.name = "slow",
       .kind = engine::RatioCheck{
           .source = engine::PrometheusRatio{.bad = "total - x_bucket", .total = "total"},
           .limit_ppm = 10'000}});
  EXPECT_THAT(FindDoubts(spec), IsEmpty());
}

}  // namespace
}  // namespace headgate::rehearsal
