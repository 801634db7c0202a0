#include "controller/conductor/conductor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/controller/conductor/conductor_testing.h"

namespace headgate::conductor {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// --- Waits.

TEST_F(ConductorTest, AnswersWhenTheDecisionHasComeAsFarAsWasAsked) {
  OpenShopAt(50);
  stage_.journal().Hang();
  stage_.agent("edge-1").obeys = false;
  stage_.agent("edge-2").reaches = fleet::Stage::kApplied;
  const auto sent = stage_.Do(engine::CloseGate{}, WaitFor::kSent);
  const auto recorded = stage_.Do(engine::CloseGate{}, WaitFor::kRecorded, "shop", 30s);
  const auto applied = stage_.Do(engine::CloseGate{}, WaitFor::kApplied, "shop", 30s);
  const auto observed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved, "shop", 30s);
  ASSERT_TRUE(sent->has_value());
  EXPECT_FALSE((*sent)->recorded);
  stage_.Run(1s);
  EXPECT_FALSE(recorded->has_value());
  EXPECT_FALSE(applied->has_value());
  stage_.journal().Heal();
  stage_.Turn();
  ASSERT_TRUE(recorded->has_value());
  EXPECT_TRUE((*recorded)->recorded);
  stage_.agent("edge-1").obeys = true;
  stage_.Run(1s);
  EXPECT_TRUE(applied->has_value());
  EXPECT_FALSE(observed->has_value());
  stage_.agent("edge-2").reaches = fleet::Stage::kObserved;
  stage_.Run(1s);
  ASSERT_TRUE(observed->has_value());
  EXPECT_TRUE((*observed)->unconfirmed.empty());
}

TEST_F(ConductorTest, NamesWhoHasNotConfirmedWhenTheTimeIsOver) {
  OpenShopAt(50);
  stage_.agent("edge-1").obeys = false;
  stage_.Disconnect("edge-2");
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  stage_.Run(1'950ms);
  EXPECT_FALSE(closed->has_value());
  stage_.Run(100ms);
  ASSERT_TRUE(closed->has_value());
  EXPECT_TRUE((*closed)->status.ok());
  ASSERT_EQ((*closed)->unconfirmed.size(), 2U);
  EXPECT_EQ((*closed)->unconfirmed[0].agent, "edge-1");
  EXPECT_EQ((*closed)->unconfirmed[0].why, "still enforces 50 % (has not answered the order yet)");
  EXPECT_EQ((*closed)->unconfirmed[1].agent, "edge-2");
  EXPECT_EQ((*closed)->unconfirmed[1].why, "not connected for 2 s, enforced 50 % when last heard");
}

TEST_F(ConductorTest, SaysWhatALoadBalancerThatHasNotConfirmedLetsIn) {
  OpenShopAt(50);
  for (const char* name : {"edge-1", "edge-2"}) stage_.agent(name).obeys = false;
  fleet::GateReport& overridden = stage_.agent("edge-1").report;
  overridden.stage = fleet::Stage::kReceived;
  overridden.local_override = fleet::LocalOverride{.share = overridden.enforced};
  fleet::GateReport& refuses = stage_.agent("edge-2").report;
  refuses.stage = fleet::Stage::kRefused;
  refuses.refusal = fleet::Refusal{.detail = "the map cannot be written"};
  for (const char* name : {"edge-1", "edge-2"}) stage_.Tell(name);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  stage_.Run(2'100ms);
  ASSERT_TRUE(closed->has_value());
  ASSERT_EQ((*closed)->unconfirmed.size(), 2U);
  EXPECT_EQ((*closed)->unconfirmed[0].why,
            "a local override holds it at 50 % until it is released there");
  EXPECT_EQ((*closed)->unconfirmed[1].why,
            "still enforces 50 %, refuses: the map cannot be written");
}

TEST_F(ConductorTest, AWordOnTheBoxThatItsLoadBalancerDoesNotObeyHoldsNothing) {
  OpenShopAt(50);
  stage_.agent("edge-1").obeys = false;
  fleet::GateReport& hangs = stage_.agent("edge-1").report;
  hangs.stage = fleet::Stage::kRefused;
  hangs.refusal = fleet::Refusal{.detail = "the stats socket hangs"};
  hangs.local_override = fleet::LocalOverride{.is_ceiling = true, .share = *Share::Parse("1%")};
  stage_.Tell("edge-1");
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  stage_.Run(2'100ms);
  ASSERT_TRUE(closed->has_value());
  ASSERT_EQ((*closed)->unconfirmed.size(), 1U);
  EXPECT_EQ((*closed)->unconfirmed[0].why, "still enforces 50 %, refuses: the stats socket hangs");
}

TEST_F(ConductorTest, NamesAgentsOfThePlanThatAreNotBackAfterARestart) {
  OpenShopAt(0);
  RampTo(10);
  ASSERT_TRUE(stage_.Start().ok());
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  stage_.Run(3s);
  ASSERT_TRUE(closed->has_value());
  ASSERT_EQ((*closed)->unconfirmed.size(), 2U);
  EXPECT_THAT((*closed)->unconfirmed[0].why, HasSubstr("since the controller started"));
}

TEST_F(ConductorTest, SaysThatNothingWasRaisedWhenTheRecordFails) {
  OpenShopAt(10);
  stage_.journal().Fail(absl::ResourceExhaustedError("disk full"));
  const auto opened = stage_.Do(engine::OpenGate{stage_.now() + 10min}, WaitFor::kSent);
  stage_.Turn();
  ASSERT_TRUE(opened->has_value());
  EXPECT_EQ((*opened)->status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string((*opened)->status.message()), HasSubstr("disk full"));
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(100'000));
}

TEST_F(ConductorTest, SaysThatARaiseWasOvertaken) {
  OpenShopAt(10);
  stage_.journal().Hang();
  const auto opened = stage_.Do(engine::OpenGate{stage_.now() + 10min}, WaitFor::kSent);
  EXPECT_FALSE(opened->has_value());
  stage_.Do(engine::CloseGate{});
  ASSERT_TRUE(opened->has_value());
  EXPECT_EQ((*opened)->status.code(), absl::StatusCode::kAborted);
}

TEST_F(ConductorTest, ARecordOfOneGateConfirmsNothingOfAnother) {
  OpenShopAt(10);
  stage_.Do(engine::CreateGate{Share::All()}, WaitFor::kSent, "blog");
  stage_.Turn();
  stage_.journal().Fail(absl::UnavailableError("no"));
  const auto shop = stage_.Do(engine::CloseGate{}, WaitFor::kRecorded, "shop", 5s);
  stage_.Turn();
  stage_.journal().Heal();
  const auto blog = stage_.Do(engine::CloseGate{}, WaitFor::kRecorded, "blog", 5s);
  stage_.Turn();
  ASSERT_TRUE(blog->has_value());
  EXPECT_TRUE((*blog)->recorded);
  EXPECT_FALSE(shop->has_value());
  stage_.Run(1'500ms);
  ASSERT_TRUE(shop->has_value());
  EXPECT_TRUE((*shop)->recorded);
}

TEST_F(ConductorTest, AnswersAStartWhenItsPreflightEnds) {
  OpenShopAt(0);
  const auto started = stage_.Do(engine::StartRestoration{UsualPlan(), false}, WaitFor::kObserved);
  stage_.Run(900ms);
  EXPECT_FALSE(started->has_value());
  ASSERT_TRUE(stage_.RunUntil([&] { return started->has_value(); }, 10s));
  EXPECT_TRUE((*started)->status.ok()) << (*started)->status;
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, *Share::FromPpm(100'000));
}

TEST_F(ConductorTest, NobodyToAskIsNobodyWhoHasConfirmed) {
  ASSERT_TRUE(stage_.Start().ok());
  stage_.Do(engine::CreateGate{Share::All()});
  stage_.Run(500ms);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 5s));
  ASSERT_EQ((*closed)->unconfirmed.size(), 1U);
  EXPECT_THAT((*closed)->unconfirmed.front().why, HasSubstr("0 of at least 1 agents"));
}

TEST_F(ConductorTest, ADryRunIsAnsweredAtOnceAndWaitsForNobody) {
  OpenShopAt(50);
  engine::Command command{.gate = "shop", .order = engine::CloseGate{}, .dry_run = true};
  const auto rehearsed = stage_.Do(std::move(command), WaitFor::kObserved);
  stage_.Turn();
  ASSERT_TRUE(rehearsed->has_value());
  EXPECT_TRUE((*rehearsed)->unconfirmed.empty());
  EXPECT_FALSE((*rehearsed)->recorded);
}

// --- The order of effects.

TEST_F(ConductorTest, TakesUsersOutThoughTheJournalHangsAndRaisesNothingMeanwhile) {
  OpenShopAt(0);
  RampTo(50);
  stage_.journal().Hang();
  stage_.Run(10s);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, *Share::FromPpm(500'000));
  stage_.errors = 0.6;
  ASSERT_TRUE(stage_.RunUntil(
      [&] { return stage_.agent("edge-1").report.enforced == *Share::FromPpm(100'000); }, 3s));
  EXPECT_GT(stage_.journal().Waiting(), 0U);
}

TEST_F(ConductorTest, AnOrderGivenFromWithinAnAnswerComesAfterThePresentTurn) {
  OpenShopAt(50);
  stage_.conductor().Do({.gate = "shop", .order = engine::StartRestoration{UsualPlan(), false}},
                        WaitFor::kSent, kWaitDefault,
                        [&](const Answer&) { stage_.Do(engine::CloseGate{}); });
  stage_.conductor().Do(
      {.gate = "shop", .order = engine::Abort{*Share::FromPpm(100'000)}, .actor = "anna"},
      WaitFor::kSent, kWaitDefault, [](const Answer&) {});
  EXPECT_EQ(stage_.gate().share, Share::None());
  const std::vector<Directive>& sent = stage_.agent("edge-1").sent;
  ASSERT_GE(sent.size(), 2U);
  EXPECT_EQ(sent[sent.size() - 2].share, *Share::FromPpm(100'000));
  EXPECT_EQ(sent.back().share, Share::None());
}

TEST_F(ConductorTest, RaisesNothingOnceANewerReignOwnsTheJournal) {
  OpenShopAt(0);
  RampTo(10);
  journal::MemoryJournal other(stage_.disk());
  ASSERT_TRUE(other.BeginReign(stage_.conductor().state().epoch + 1).ok());
  stage_.Run(30s);
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(100'000));
  EXPECT_FALSE(stage_.conductor().state().leads);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  EXPECT_TRUE((*closed)->unconfirmed.empty());
  EXPECT_FALSE((*closed)->recorded);
}

// --- Who watches, and what is told.

TEST_F(ConductorTest, TellsWatchersAtMostTenTimesASecondAndAtLeastOnce) {
  OpenShopAt(50);
  int told = 0;
  stage_.conductor().Unwatch(stage_.conductor().Watch("shop", [] {}));
  const std::uint64_t watcher = stage_.conductor().Watch("shop", [&] { ++told; });
  // Agents count twenty times a second.
  stage_.Run(10s);
  EXPECT_LE(told, 100);
  EXPECT_GE(told, 90);
  stage_.Disconnect("edge-1");
  stage_.Disconnect("edge-2");
  stage_.Run(2s);
  told = 0;
  stage_.Run(10s);
  EXPECT_GE(told, 9);
  EXPECT_LE(told, 12);
  stage_.conductor().Unwatch(watcher);
  told = 0;
  stage_.Run(2s);
  EXPECT_EQ(told, 0);
}

TEST_F(ConductorTest, AWatcherMayEndAnothersWatch) {
  OpenShopAt(50);
  std::uint64_t second = 0;
  bool was_told = false;
  stage_.conductor().Watch("shop", [&] { stage_.conductor().Unwatch(second); });
  second = stage_.conductor().Watch("shop", [&] { was_told = true; });
  stage_.Run(1s);
  EXPECT_FALSE(was_told);
}

TEST_F(ConductorTest, RefusesMoreWatchersThanItsLimit) {
  OpenShopAt(50);
  for (std::size_t i = 0; i < kWatchersMax; ++i) {
    ASSERT_NE(stage_.conductor().Watch("shop", [] {}), 0U);
  }
  EXPECT_EQ(stage_.conductor().Watch("shop", [] {}), 0U);
}

TEST_F(ConductorTest, TheTimelineNamesEachChangeItsCauseAndWhetherItIsRecorded) {
  OpenShopAt(50);
  stage_.journal().Fail(absl::ResourceExhaustedError("disk full"));
  stage_.Do(engine::CloseGate{});
  stage_.Run(5s);
  EXPECT_THAT(TimelineTexts(), ElementsAre(HasSubstr("+ 18:00:00 reign "),
                                           "+ 18:00:00 shop: create at 50 % [anna]: drill",
                                           "+ 18:00:00 shop: join at 50 % [edge-1]",
                                           "+ 18:00:00 shop: join at 50 % [edge-2]",
                                           "- 18:00:00 shop: close at 50 % -> 0 % [anna]: drill"));
  stage_.journal().Heal();
  stage_.Run(2s);
  EXPECT_THAT(TimelineTexts(), ElementsAre(HasSubstr("+ 18:00:00 reign "),
                                           "+ 18:00:00 shop: create at 50 % [anna]: drill",
                                           "+ 18:00:00 shop: join at 50 % [edge-1]",
                                           "+ 18:00:00 shop: join at 50 % [edge-2]",
                                           "+ 18:00:00 shop: close at 50 % -> 0 % [anna]: drill",
                                           HasSubstr("shop: settle at 0 %")));
}

TEST_F(ConductorTest, ForgetsAnAgentOnlyWhenItsRemovalWasCarriedOut) {
  OpenShopAt(50);
  EXPECT_FALSE((*stage_.Do(engine::RemoveAgent{"edge-2"}))->status.ok());
  EXPECT_NE(stage_.conductor().fleet().Find("edge-2"), nullptr);
  stage_.Disconnect("edge-2");
  EXPECT_TRUE((*stage_.Do(engine::RemoveAgent{"edge-2"}))->status.ok());
  EXPECT_EQ(stage_.conductor().fleet().Find("edge-2"), nullptr);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  EXPECT_TRUE((*closed)->unconfirmed.empty());
}

TEST_F(ConductorTest, EndsEveryCallWhenItStops) {
  OpenShopAt(0);
  stage_.agent("edge-1").obeys = false;
  const auto started = stage_.Do(engine::StartRestoration{UsualPlan(), false});
  const auto closed = stage_.Do(engine::Hold{}, WaitFor::kObserved);
  stage_.conductor().EndCalls();
  EXPECT_TRUE(started->has_value());
  EXPECT_TRUE(closed->has_value());
  const auto late = stage_.Do(engine::CloseGate{});
  ASSERT_TRUE(late->has_value());
  EXPECT_EQ((*late)->status.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace headgate::conductor
