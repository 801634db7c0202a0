// The engine on a rehearsed platform decides as a controller would.
#include "controller/rehearsal/restorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/rehearsal/platform.h"
#include "controller/rehearsal/scenario.h"
#include "tests/controller/rehearsal/plans.h"

namespace headgate::rehearsal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A run on a platform, second by second.
class Trial {
 public:
  Trial(const Scenario& scenario, const engine::Plan& plan, RestorerOptions options = {},
        std::uint64_t seed = 7)
      : platform_(scenario, seed), restorer_(plan, options), share_(restorer_.Decide({})) {}

  void Until(int second) {
    while (std::ssize(shares_) < second) {
      shares_.push_back(share_.ppm());
      share_ = restorer_.Decide(platform_.Step(share_).seen);
      if (restorer_.RetreatedNow() && !retreated_s_) retreated_s_ = int(shares_.size());
    }
  }

  const Restorer& restorer() const { return restorer_; }
  Share share() const { return share_; }
  // Commanded, by the second.
  const std::vector<std::uint32_t>& shares() const { return shares_; }
  std::optional<int> retreated_s() const { return retreated_s_; }
  // The first second in which so much was commanded, -1 if none.
  int SecondOf(Share share) const {
    const auto found = std::ranges::find(shares_, share.ppm());
    return found == shares_.end() ? -1 : int(found - shares_.begin());
  }

 private:
  Platform platform_;
  Restorer restorer_;
  Share share_;
  std::vector<std::uint32_t> shares_;
  std::optional<int> retreated_s_;
};

Scenario BuiltIn(const std::string& name) { return FindScenario(name).value(); }

std::vector<std::string> PhasesOf(const Restorer& restorer) {
  std::vector<std::string> phases;
  for (const Decision& decision : restorer.decisions()) {
    if (phases.empty() || phases.back() != decision.phase) phases.push_back(decision.phase);
  }
  return phases;
}

TEST(Restorer, LetsTheFirstUsersInAtOnceBecausePreflightWasBefore) {
  Trial run(BuiltIn("H1"), PlanOf(ShopSpec()));
  EXPECT_EQ(run.share().ppm(), 10'000U);
  ASSERT_FALSE(run.restorer().decisions().empty());
  EXPECT_EQ(run.restorer().decisions().front().phase, "PREFLIGHT");
  EXPECT_LE(run.restorer().decisions().front().at_s, -30);
  EXPECT_EQ(run.restorer().decisions().back().at_s, 0);
}

TEST(Restorer, BringsASoundPlatformTo100PercentAndCompletes) {
  Trial run(BuiltIn("H1"), PlanOf(ShopSpec()));
  run.Until(3'600);
  EXPECT_EQ(run.share(), Share::All());
  EXPECT_FALSE(run.retreated_s().has_value());
  EXPECT_THAT(PhasesOf(run.restorer()),
              ElementsAre("PREFLIGHT", "ADMITTING", "WATCHING", "COMPLETED"));
  EXPECT_TRUE(run.restorer().HasEnded());
}

TEST(Restorer, TakesUsersOutOfABadPlatform) {
  Trial run(BuiltIn("B2"), PlanOf(ShopSpec()));
  run.Until(120);
  ASSERT_TRUE(run.retreated_s().has_value());
  const auto& decisions = run.restorer().decisions();
  const auto retreat = std::ranges::find_if(decisions, &Decision::is_retreat);
  ASSERT_NE(retreat, decisions.end());
  EXPECT_EQ(retreat->at_s, *run.retreated_s());
  EXPECT_LT(retreat->to, retreat->from);
  EXPECT_EQ(retreat->cause.who, "errors");
  EXPECT_THAT(retreat->cause.why, HasSubstr("errors is FAILED"));
  EXPECT_FALSE(retreat->cause.evidence.empty());
}

TEST(Restorer, HoldsItsShareWhileThereIsNoDataAndGoesOnAfterwards) {
  Scenario dark = BuiltIn("H1");
  dark.metrics.blackouts = {{.from_s = 20, .until_s = 200}};
  Trial run(dark, PlanOf(ShopSpec()));
  run.Until(20);
  const Share before = run.share();
  run.Until(199);
  EXPECT_EQ(run.share(), before);
  EXPECT_THAT(PhasesOf(run.restorer()), ElementsAre("PREFLIGHT", "ADMITTING", "HOLDING"));
  run.Until(400);
  EXPECT_EQ(run.share(), Share::All());
  EXPECT_FALSE(run.retreated_s().has_value());
}

TEST(Restorer, WaitsForTheJournalBeforeEachRaise) {
  // Without errors by chance, which each second has of its own.
  Scenario flawless = BuiltIn("H1");
  flawless.errors.base = 0;
  Trial prompt(flawless, PlanOf(ShopSpec()));
  Trial late(flawless, PlanOf(ShopSpec()), {.record_delay = Duration(3'000)});
  prompt.Until(200);
  late.Until(200);
  const Share quarter = Share::FromPpm(250'000).value();
  // Two raises lie between the first share and a quarter.
  EXPECT_NEAR(late.SecondOf(quarter) - prompt.SecondOf(quarter), 6, 1);
}

TEST(Restorer, LowersWithoutWaitingForTheJournal) {
  Trial prompt(BuiltIn("B6"), PlanOf(ShopSpec()));
  Trial late(BuiltIn("B6"), PlanOf(ShopSpec()), {.record_delay = Duration(3'000)});
  prompt.Until(400);
  late.Until(400);
  EXPECT_EQ(prompt.retreated_s(), late.retreated_s());
}

TEST(Restorer, DecidesTheSameUnderTheSameSeed) {
  Trial one(BuiltIn("H3"), PlanOf(ShopSpec()));
  Trial again(BuiltIn("H3"), PlanOf(ShopSpec()));
  Trial other(BuiltIn("H3"), PlanOf(ShopSpec()), {}, 8);
  for (Trial* run : {&one, &again, &other}) run->Until(1'200);
  EXPECT_EQ(one.shares(), again.shares());
  EXPECT_NE(one.shares(), other.shares());
}

TEST(Restorer, ApprovesWhatThePlanWantsApproved) {
  engine::PlanSpec spec = ShopSpec();
  spec.approve_at = {spec.steps[1]};
  Trial run(BuiltIn("H1"), PlanOf(spec));
  run.Until(300);
  EXPECT_EQ(run.share(), Share::All());
  EXPECT_THAT(PhasesOf(run.restorer()), testing::Contains("WAITING_FOR_APPROVAL"));
}

TEST(Restorer, HoldsUntilAPersonComesWhenEveryRetryHasFailed) {
  engine::PlanSpec spec = ShopSpec();
  spec.retries = 0;
  Trial alone(BuiltIn("B2"), PlanOf(spec));
  Trial helped(BuiltIn("B2"), PlanOf(spec), {.resumed_after = Duration(300'000)});
  alone.Until(3'000);
  helped.Until(3'000);
  EXPECT_TRUE(alone.restorer().AsksForAPerson());
  const auto retreats = [](const Trial& run) {
    return std::ranges::count_if(run.restorer().decisions(), &Decision::is_retreat);
  };
  EXPECT_EQ(retreats(alone), 1);
  EXPECT_GT(retreats(helped), 1);
}

TEST(Restorer, AnswersForEveryKindOfCheck) {
  engine::PlanSpec spec = ShopSpec();
  spec.checks.push_back(
      {.name = "payments",
       .kind = engine::RatioCheck{.source = engine::PrometheusRatio{.bad = "bad", .total = "total"},
                                  .limit_ppm = 20'000},
       .fresh = Duration(60'000)});
  spec.checks.push_back(
      {.name = "connections",
       .kind = engine::ValueCheck{.source = {.query = "up"}, .soft = 80, .hard = 95},
       .fresh = Duration(10'000)});
  spec.checks.push_back(
      {.name = "backlog",
       .kind = engine::ValueCheck{.source = {.query = "free"}, .soft = 20, .hard = 5},
       .fresh = Duration(10'000)});
  spec.checks.push_back({.name = "orders", .kind = engine::DatabaseCheck{.database = "orders"}});
  spec.preflight_databases = {"orders"};
  spec.databases["orders"] = {.primary = "host=db1 dbname=shop"};
  Trial sound(BuiltIn("H1"), PlanOf(spec));
  sound.Until(900);
  EXPECT_EQ(sound.share(), Share::All());
  for (const auto& [name, judgement] : sound.restorer().Explain().checks) {
    EXPECT_EQ(judgement.verdict, engine::Verdict::kHealthy) << name << ": " << judgement.detail;
  }
}

engine::CheckSpec PaymentsCheck(std::uint32_t limit_ppm) {
  return {
      .name = "payments",
      .kind = engine::RatioCheck{.source = engine::PrometheusRatio{.bad = "bad", .total = "total"},
                                 .limit_ppm = limit_ppm},
      .fresh = Duration(60'000)};
}

TEST(Restorer, RetreatsWhatPrometheusAloneShows) {
  engine::PlanSpec spec = ShopSpec();
  spec.checks = {PaymentsCheck(20'000)};
  Trial run(BuiltIn("B6"), PlanOf(spec));
  run.Until(600);
  ASSERT_TRUE(run.retreated_s().has_value());
  EXPECT_GT(*run.retreated_s(), 240);
}

TEST(Restorer, WhatPrometheusShowsGoesLowerInACureToo) {
  engine::PlanSpec spec = AdaptiveSpec();
  spec.checks = {PaymentsCheck(10'000)};
  Trial run(BuiltIn("B6"), PlanOf(spec));
  run.Until(240 + 600);
  ASSERT_TRUE(run.retreated_s().has_value());
  // A twentieth of the users' requests fail, and go on failing.
  EXPECT_LE(run.share().ppm(), 50'000U);
}

TEST(Restorer, ErrorsALittleAboveTheLimitDoNotRestInACure) {
  Scenario worse = BuiltIn("H1");
  worse.errors.faults = {{.when = {.from_s = 180}, .ratio = 0.016}};
  Trial run(worse, PlanOf(AdaptiveSpec()));
  run.Until(1'800);
  EXPECT_LE(run.share().ppm(), 50'000U);
}

TEST(Restorer, ComesToTheSameWithCountsEveryQuarterOfASecond) {
  Trial whole(BuiltIn("H1"), PlanOf(ShopSpec()));
  Trial quarters(BuiltIn("H1"), PlanOf(ShopSpec()), {.turns_per_second = 4});
  whole.Until(300);
  quarters.Until(300);
  EXPECT_EQ(quarters.share(), Share::All());
  EXPECT_NEAR(quarters.SecondOf(Share::All()), whole.SecondOf(Share::All()), 5);
}

TEST(Restorer, FollowsTheEvidenceWithAdaptiveStepsByDayAndByNight) {
  for (const char* scenario : {"H1", "H6"}) {
    Trial run(BuiltIn(scenario), PlanOf(AdaptiveSpec()), {.rps = BuiltIn(scenario).site.rps});
    run.Until(300);
    EXPECT_EQ(run.share(), Share::All()) << scenario;
    EXPECT_FALSE(run.retreated_s().has_value()) << scenario;
  }
}

TEST(Restorer, TellsTheDatabasesUtilisationWhereThePlanReadsIt) {
  Trial seeing(BuiltIn("M3"), PlanOf(AdaptiveSpec()));
  Trial blind(BuiltIn("M3"), PlanOf(AdaptiveSpec()), {.sees_utilisation = false});
  seeing.Until(600);
  blind.Until(600);
  EXPECT_NE(seeing.shares(), blind.shares());
}

TEST(Restorer, JudgesAShareByItsOwnCountsHoweverLateTheyCome) {
  // Without the database's word, so that nothing but late counts tells of the edge.
  Trial run(BuiltIn("Z9"), PlanOf(AdaptiveSpec()), {.sees_utilisation = false});
  run.Until(1'800);
  EXPECT_EQ(run.share(), Share::All());
}

TEST(Restorer, WaitsForAgentsThatDoNotObey) {
  Scenario deaf = BuiltIn("H1");
  deaf.agents = {.ignoring = 0.6, .ignoring_from_s = 5};
  Trial run(deaf, PlanOf(ShopSpec()));
  run.Until(600);
  // It cannot raise what has not been observed.
  EXPECT_EQ(run.share().ppm(), 50'000U);
  EXPECT_THAT(run.restorer().Explain().waits_for,
              testing::Contains(HasSubstr("has not observed its share yet")));
}

}  // namespace
}  // namespace headgate::rehearsal
