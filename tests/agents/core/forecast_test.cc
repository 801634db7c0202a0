#include "agents/core/forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bucket.h"
#include "tests/agents/core/keeper_bench.h"

namespace headgate::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

// kStart is 2024-08-14 18:00:00 UTC.
Outlook Steps(Duration first, Duration second) {
  return {
      {{Percent("20%"), kStart + first}, {Percent("50%"), kStart + second}, {Share::All(), {}}}};
}

TEST(Forecast, HasARowForEachBandThatWaits) {
  const Forecast forecast =
      ForecastOf(Steps(minutes(5), minutes(25)), Percent("10%"), "Europe/Berlin", kStart);
  EXPECT_EQ(ForecastText(forecast),
            "# Written by headgate-agent: what people who wait are told. Do not edit.\n"
            "104858:209715 20|20:05|CEST|0.2|2024-08-14T18:05:00Z|1723658460\n"
            "209716:524287 50|20:25|CEST|0.5|2024-08-14T18:25:00Z|1723658460\n"
            "524288:1048575 100|-|-|1|-|1723658460\n");
}

TEST(Forecast, WhoIsInNeedsNone) {
  const Outlook outlook = Steps(minutes(5), minutes(25));
  EXPECT_THAT(ForecastOf(outlook, Percent("50%"), "UTC", kStart).rows, SizeIs(1));
  EXPECT_THAT(ForecastOf(outlook, Share::All(), "UTC", kStart).rows, IsEmpty());
}

TEST(Forecast, RoundsUpToWholeMinutesAndWholePercent) {
  const Outlook outlook{{{Percent("2.5%"), kStart + seconds(61)}}};
  const Forecast forecast = ForecastOf(outlook, Share::None(), "UTC", kStart);
  EXPECT_EQ(forecast.rows[0].percent, "3");
  EXPECT_EQ(forecast.rows[0].ratio, "0.025");
  EXPECT_EQ(forecast.rows[0].time, "18:02");
}

TEST(Forecast, ATimeThatHasPassedIsNotKnown) {
  const Forecast forecast =
      ForecastOf(Steps(minutes(5), minutes(25)), Percent("10%"), "UTC", kStart + minutes(5));
  EXPECT_EQ(forecast.rows[0].time, "-");
  EXPECT_EQ(forecast.rows[0].instant, "-");
  EXPECT_EQ(forecast.rows[1].time, "18:25");
}

TEST(Forecast, ARowSaysNothingOnceItHasRunOutOrItsTimeHasCome) {
  const Forecast soon =
      ForecastOf(Steps(seconds(20), minutes(25)), Percent("10%"), "UTC", kStart + seconds(30));
  const std::uint32_t bucket = Percent("15%").Width();
  EXPECT_NE(soon.Find(bucket, kStart + seconds(59)), nullptr);
  EXPECT_EQ(soon.Find(bucket, kStart + seconds(60)), nullptr);
  const std::uint32_t later = Percent("40%").Width();
  EXPECT_NE(soon.Find(later, kStart + seconds(89)), nullptr);
  EXPECT_EQ(soon.Find(later, kStart + seconds(90)), nullptr);
  EXPECT_EQ(soon.Find(0, kStart + seconds(30)), nullptr);
}

TEST(Forecast, OnesOwnPercentIsOneAtWhichOneIsIn) {
  for (const std::uint32_t bucket : {0U, 10'485U, 10'486U, 524'287U, 524'288U, kBuckets - 1}) {
    const std::uint32_t percent = OwnPercent(bucket);
    EXPECT_TRUE(IsAdmitted(bucket, *Share::FromPpm(percent * 10'000))) << bucket;
    EXPECT_LE(percent, 100U);
  }
}

TEST(Forecast, KnowsTheMachinesTimeZonesOnly) {
  EXPECT_TRUE(CheckTimeZone("Europe/Berlin").ok());
  EXPECT_TRUE(CheckTimeZone("UTC").ok());
  EXPECT_FALSE(CheckTimeZone("Berlin").ok());
}

Offer OfferOf(const Outlook& outlook, std::uint64_t revision = 1) {
  Offer offer;
  offer.directive = {.gate = "shop", .version = {1, revision}, .share = Percent("10%")};
  offer.digest = DigestOf(offer.directive);
  offer.valid_for = seconds(15);
  offer.outlook = outlook;
  return offer;
}

struct Foretold : testing::Test {
  Bench bench{"10%"};
  // Renews as a controller does.
  void Live(Duration time, const Outlook& outlook) {
    for (Duration passed{0}; passed < time; passed += seconds(3)) {
      bench.keeper->Take(OfferOf(outlook), bench.now);
      bench.Pass(seconds(3));
    }
  }
  const Forecast& told() const { return bench.enforcer.foretold.back(); }
};

TEST_F(Foretold, AnIdleAgentTellsNothing) {
  bench.Pass(seconds(10));
  EXPECT_THAT(bench.enforcer.foretold, IsEmpty());
}

TEST_F(Foretold, IsToldAnewBeforeItRunsOutAndNotMoreOften) {
  Live(minutes(3), Steps(minutes(20), minutes(25)));
  ASSERT_FALSE(bench.enforcer.foretold.empty());
  EXPECT_EQ(told().rows[0].time, "18:20");
  EXPECT_GT(told().rows[0].until, bench.now + kForecastFor / 3);
  EXPECT_LE(bench.enforcer.foretold.size(), 8U);
}

TEST_F(Foretold, AnotherTimeIsToldAtOnce) {
  Live(seconds(6), Steps(minutes(20), minutes(25)));
  Live(seconds(3), Steps(minutes(30), minutes(35)));
  EXPECT_EQ(told().rows[0].time, "18:30");
}

TEST_F(Foretold, NobodyKnowsWithoutAControllerOrAboveTheOperatorsWord) {
  Live(seconds(6), Steps(minutes(20), minutes(25)));
  ASSERT_THAT(told().rows, SizeIs(3));
  bench.Pass(seconds(16));
  EXPECT_THAT(told().rows, IsEmpty());
  Live(seconds(3), Steps(minutes(20), minutes(25)));
  ASSERT_THAT(told().rows, SizeIs(3));
  ASSERT_TRUE(bench.store.SaveOverride({.is_ceiling = true, .share = Percent("5%")}).ok());
  bench.Pass(seconds(2));
  EXPECT_THAT(told().rows, IsEmpty());
}

TEST_F(Foretold, WhatTheLoadBalancerDoesNotTakeIsTriedAgainAndHoldsNothingUp) {
  bench.enforcer.foretelling_fails = true;
  Live(seconds(6), Steps(minutes(20), minutes(25)));
  EXPECT_EQ(bench.keeper->Describe(bench.now).stage, Stage::kObserved);
  EXPECT_EQ(bench.keeper->Describe(bench.now).trouble, "");
  bench.enforcer.foretelling_fails = false;
  Live(seconds(6), Steps(minutes(20), minutes(25)));
  EXPECT_EQ(told().rows[0].time, "18:20");
}

}  // namespace
}  // namespace headgate::agent
