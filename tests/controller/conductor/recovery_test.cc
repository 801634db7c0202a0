// A controller between its starts: with its journal, without, and what its agents know then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "headgate/v1/journal.pb.h"
#include "tests/controller/conductor/conductor_testing.h"

namespace headgate::conductor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using RecoveryTest = ConductorTest;

// --- Without a journal.

TEST_F(RecoveryTest, WithoutAJournalItClosesWhatAgentsReportAndRaisesNothing) {
  EXPECT_EQ(stage_.StartWithoutJournal("no space left").code(), absl::StatusCode::kUnavailable);
  stage_.agent("edge-1").report.version = {.epoch = 1'723'000'000, .revision = 7};
  stage_.agent("edge-1").report.stage = fleet::Stage::kObserved;
  stage_.agent("edge-1").report.enforced = *Share::FromPpm(500'000);
  stage_.Connect("edge-1");
  for (const auto& refused :
       {stage_.Do(engine::OpenGate{stage_.now() + 10min}),
        stage_.Do(engine::StartRestoration{UsualPlan(), true}),
        stage_.Do(engine::CreateGate{Share::All()}, WaitFor::kSent, "blog")}) {
    ASSERT_TRUE(refused->has_value());
    EXPECT_EQ((*refused)->status.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string((*refused)->status.message()), HasSubstr("no space left"));
  }
  stage_.Run(kComingBack);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  EXPECT_TRUE((*closed)->status.ok());
  EXPECT_TRUE((*closed)->unconfirmed.empty());
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, Share::None());
}

TEST_F(RecoveryTest, WithoutAJournalACloseReachesAgentsThatComeLater) {
  ASSERT_FALSE(stage_.StartWithoutJournal("gone").ok());
  for (const char* name : {"edge-1", "edge-2"}) {
    stage_.agent(name).report.version = {.epoch = 1'723'000'000, .revision = 7};
    stage_.agent(name).report.stage = fleet::Stage::kObserved;
  }
  stage_.agent("edge-1").report.enforced = Share::None();
  stage_.Connect("edge-1");
  stage_.Do(engine::CloseGate{});
  stage_.Connect("edge-2");
  EXPECT_TRUE(
      stage_.RunUntil([&] { return stage_.agent("edge-2").report.enforced == Share::None(); }, 3s));
}

TEST_F(RecoveryTest, WithoutAJournalAnAgentThatReportsLessTakesNobodyOutElsewhere) {
  ASSERT_FALSE(stage_.StartWithoutJournal("gone").ok());
  for (const char* name : {"edge-1", "edge-2"}) {
    stage_.agent(name).report.version = {.epoch = 1'723'000'000, .revision = 7};
    stage_.agent(name).report.stage = fleet::Stage::kObserved;
  }
  stage_.agent("edge-1").report.enforced = *Share::FromPpm(500'000);
  stage_.agent("edge-2").report.enforced = *Share::FromPpm(100'000);
  stage_.Connect("edge-1");
  stage_.Connect("edge-2");
  stage_.Run(2s);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, *Share::FromPpm(500'000));
  EXPECT_EQ(stage_.agent("edge-2").report.enforced, *Share::FromPpm(100'000));
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(500'000));
}

TEST_F(RecoveryTest, AGateThatALostJournalHadCanBeClosedAndWrittenDownAndRaisesNobody) {
  OpenShopAt(50);
  stage_.disk().entries.clear();
  stage_.disk().reign = 0;
  ASSERT_TRUE(stage_.Start().ok());
  stage_.agent("edge-2").report.enforced = *Share::FromPpm(100'000);
  ComeBack();
  stage_.Run(2s);
  const CookieKey key{7, std::string(kCookieSecretBytes, 's')};
  const auto rotated = stage_.Do(engine::RotateCookieKey{key});
  ASSERT_TRUE(stage_.RunUntil([&] { return rotated->has_value(); }, 5s));
  EXPECT_THAT(std::string((*rotated)->status.message()), HasSubstr("`headgate gates create shop`"));
  const auto created = stage_.Do(engine::CreateGate{Share::All(), key}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return created->has_value(); }, 5s));
  ASSERT_TRUE((*created)->status.ok()) << (*created)->status;
  stage_.Run(2s);
  // Whatever keys its agents have stay: a new one would take places away.
  EXPECT_TRUE(stage_.agent("edge-2").sent.back().cookie_keys.empty());
  EXPECT_TRUE(stage_.gate().no_raise);
  EXPECT_EQ(stage_.agent("edge-2").sent.back().no_raise, true);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 5s));
  EXPECT_TRUE((*closed)->status.ok()) << (*closed)->status;
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, Share::None());
  EXPECT_EQ(stage_.agent("edge-2").report.enforced, Share::None());
}

TEST_F(RecoveryTest, AStartThatCannotReignRaisesNobodyByAnOrderToHold) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  stage_.agent("edge-2").report.enforced = *Share::FromPpm(100'000);
  // No epoch is above it.
  stage_.disk().reign = std::numeric_limits<std::uint64_t>::max();
  ASSERT_FALSE(stage_.Start().ok());
  ComeBack();
  stage_.Do(engine::Hold{});
  stage_.Run(2s);
  ASSERT_FALSE(stage_.agent("edge-2").sent.empty());
  EXPECT_TRUE(stage_.agent("edge-2").sent.back().no_raise);
}

TEST_F(RecoveryTest, CookieKeysOutliveARestartAndStayOutOfTheTimeline) {
  const std::string secret(kCookieSecretBytes, 's');
  ASSERT_TRUE(stage_.Start().ok());
  stage_.Do(engine::CreateGate{Share::All(), CookieKey{7, secret}});
  stage_.Connect("edge-1");
  stage_.Run(500ms);
  stage_.Do(engine::RotateCookieKey{CookieKey{7, std::string(kCookieSecretBytes, 't')}});
  stage_.Run(500ms);
  const CookieKeys keys = stage_.agent("edge-1").sent.back().cookie_keys;
  EXPECT_EQ(keys, (CookieKeys{.issuing = 8,
                              .keys = {{7, secret}, {8, std::string(kCookieSecretBytes, 't')}}}));
  ASSERT_TRUE(stage_.Start(1'000).ok());
  stage_.Connect("edge-1");
  stage_.Run(500ms);
  EXPECT_EQ(stage_.agent("edge-1").sent.back().cookie_keys, keys);
  const auto items = stage_.conductor().timeline().Newest("shop", 100);
  ASSERT_GE(items.size(), 3U);
  for (const TimelineItem* item : items) {
    EXPECT_EQ(item->payload.find(secret), std::string::npos);
    EXPECT_EQ(item->payload.find(std::string(kCookieSecretBytes, 't')), std::string::npos);
  }
}

TEST_F(RecoveryTest, AnOpenEndsWhereTheClockWentBack) {
  OpenShopAt(10);
  const auto opened = stage_.Do(engine::OpenGate{stage_.now() + 10min}, WaitFor::kRecorded);
  ASSERT_TRUE(stage_.RunUntil([&] { return opened->has_value(); }));
  ASSERT_EQ(stage_.gate().share, Share::All());
  stage_.Run(500ms);
  stage_.SetClockBack(2h);
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(100'000));
  EXPECT_FALSE(stage_.gate().open_until.has_value());
}

TEST_F(RecoveryTest, TextThatIsNoUtf8NeverMakesTheJournalUnreadable) {
  OpenShopAt(50);
  const auto closed =
      stage_.Do(engine::Command{.gate = "shop", .order = engine::CloseGate{}, .reason = "caf\xE9"});
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }));
  stage_.Run(500ms);
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.gate().share, Share::None());
  EXPECT_THAT(TimelineTexts(), testing::Contains(HasSubstr("caf\uFFFD")));
}

TEST_F(RecoveryTest, ADamagedJournalMakesItLowerOnlyAndIsNotWrittenTo) {
  OpenShopAt(50);
  stage_.disk().entries.back().payload = "not a record";
  const std::size_t entries = stage_.disk().entries.size();
  EXPECT_EQ(stage_.Start().code(), absl::StatusCode::kDataLoss);
  ComeBack();
  stage_.Run(kComingBack);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  EXPECT_TRUE((*closed)->unconfirmed.empty());
  EXPECT_EQ(stage_.disk().entries.size(), entries);
}

TEST_F(RecoveryTest, CloseNamesAfterARestartWhoIsNotBackYet) {
  OpenShopAt(50);
  ASSERT_TRUE(stage_.Start(1'000).ok());
  stage_.Connect("edge-1");
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  ASSERT_EQ((*closed)->unconfirmed.size(), 1U);
  EXPECT_EQ((*closed)->unconfirmed[0].agent, "edge-2");
  EXPECT_THAT((*closed)->unconfirmed[0].why, HasSubstr("has not connected since"));
}

TEST_F(RecoveryTest, WhoWasRemovedIsNotWaitedForAfterARestartAndTheTimelineSaysBywhom) {
  OpenShopAt(50);
  stage_.Disconnect("edge-2");
  ASSERT_TRUE((*stage_.Do(engine::RemoveAgent{"edge-2"}))->status.ok());
  stage_.Run(500ms);
  EXPECT_THAT(TimelineTexts(),
              testing::Contains(HasSubstr("shop: remove agent at 50 % [anna]: edge-2: drill")));
  ASSERT_TRUE(stage_.Start(1'000).ok());
  stage_.Connect("edge-1");
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  EXPECT_TRUE((*closed)->unconfirmed.empty());
}

TEST_F(RecoveryTest, CloseIsNotConfirmedWhereEverybodyWasRemoved) {
  OpenShopAt(100);
  for (const char* name : {"edge-1", "edge-2"}) stage_.Disconnect(name);
  stage_.Run(10s);
  for (const char* name : {"edge-1", "edge-2"}) {
    const auto removed = stage_.Do(engine::RemoveAgent{name});
    ASSERT_TRUE(stage_.RunUntil([&] { return removed->has_value(); }));
    ASSERT_TRUE((*removed)->status.ok()) << (*removed)->status;
  }
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 5s));
  ASSERT_EQ((*closed)->unconfirmed.size(), 2U);
  EXPECT_THAT((*closed)->unconfirmed[0].why, HasSubstr("was removed from the quorum"));
}

TEST_F(RecoveryTest, WhoIsNotBackAfterARestartCanBeRemoved) {
  OpenShopAt(50);
  ASSERT_TRUE(stage_.Start(1'000).ok());
  stage_.Connect("edge-1");
  ASSERT_TRUE((*stage_.Do(engine::RemoveAgent{"edge-2"}))->status.ok());
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  EXPECT_TRUE((*closed)->unconfirmed.empty());
  stage_.Connect("edge-2");
  stage_.Run(1s);
  EXPECT_EQ(stage_.gate().agents.count("edge-2"), 1U);
  EXPECT_TRUE(stage_.gate().removed.empty());
}

TEST_F(RecoveryTest, ANewCookieKeyWaitsAfterARestartForWhoIsNotBackYet) {
  const std::string secret(kCookieSecretBytes, 's');
  ASSERT_TRUE(stage_.Start().ok());
  stage_.Do(engine::CreateGate{Share::All(), CookieKey{7, secret}});
  ComeBack();
  stage_.Run(500ms);
  ASSERT_TRUE(stage_.Start(1'000).ok());
  stage_.Do(engine::RotateCookieKey{CookieKey{7, std::string(kCookieSecretBytes, 't')}});
  stage_.Run(1s);
  EXPECT_EQ(stage_.gate().cookie_keys.issuing, 7U);
  stage_.Connect("edge-1");
  stage_.Run(1s);
  EXPECT_EQ(stage_.gate().cookie_keys.issuing, 7U);
  stage_.Connect("edge-2");
  stage_.Run(1s);
  EXPECT_EQ(stage_.gate().cookie_keys.issuing, 8U);
}

TEST_F(RecoveryTest, CloseSaysJustAfterARestartThatALoadBalancerMayBeOnItsWayBack) {
  ASSERT_TRUE(stage_.Start().ok());
  stage_.Do(engine::CreateGate{Share::All()});
  stage_.Run(500ms);
  ASSERT_TRUE(stage_.Start(1'000).ok());
  ComeBack();
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  ASSERT_EQ((*closed)->unconfirmed.size(), 1U);
  EXPECT_EQ((*closed)->unconfirmed[0].agent, "(any)");
  EXPECT_THAT((*closed)->unconfirmed[0].why, HasSubstr("has not come back yet"));
}

TEST_F(RecoveryTest, AnAgentThatHoldsAnOrderOfAnUnknownReignHasNotConfirmed) {
  OpenShopAt(50);
  stage_.agent("edge-1").obeys = false;
  stage_.agent("edge-1").report.version = {.epoch = 9'000'000'000, .revision = 1};
  stage_.Tell("edge-1");
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 3s));
  ASSERT_EQ((*closed)->unconfirmed.size(), 1U);
  EXPECT_EQ((*closed)->unconfirmed[0].agent, "edge-1");
  EXPECT_THAT((*closed)->unconfirmed[0].why, HasSubstr("--adopt-epoch 9000000000"));
}

// A plan that today's rules refuse; false where the record has none.
bool SpoilPlan(std::string& payload) {
  v1::JournalRecord record;
  if (!record.ParseFromString(payload) || !record.gate_changed().state().has_restoration()) {
    return false;
  }
  record.mutable_gate_changed()->mutable_state()->mutable_restoration()->mutable_plan()->set_gate(
      "No Gate's Name");
  payload = record.SerializeAsString();
  return true;
}

TEST_F(RecoveryTest, APlanOfThePastThatTodaysRulesRefuseIsALineInTheTimelineAndNoMore) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  auto& entries = stage_.disk().entries;
  std::size_t spoilt = 0;
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    spoilt += SpoilPlan(entries[i].payload) ? 1U : 0U;
  }
  ASSERT_GT(spoilt, 1U);
  const std::size_t told = entries.size();
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(500'000));
  EXPECT_TRUE(stage_.gate().restoration.has_value());
  EXPECT_GE(stage_.conductor().timeline().Newest("", 1'000).size(), told);
}

TEST_F(RecoveryTest, WithoutTheNewestPlanItIsLowerOnly) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  ASSERT_TRUE(SpoilPlan(stage_.disk().entries.back().payload));
  EXPECT_EQ(stage_.Start().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RecoveryTest, LowersUnderANewerEpochAlsoWhereTheReignCannotBegin) {
  OpenShopAt(50);
  // Restarts within one second: the epoch is ahead of the clock.
  ASSERT_TRUE(stage_.Start().ok());
  ASSERT_TRUE(stage_.Start().ok());
  ComeBack();
  stage_.Run(500ms);
  const std::uint64_t epoch = stage_.conductor().state().epoch;
  stage_.disk().entries.back().payload = "not a record";
  EXPECT_FALSE(stage_.Start().ok());
  EXPECT_GT(stage_.conductor().state().epoch, epoch);
}

// --- Restarts.

TEST_F(RecoveryTest, ARestartRaisesNothingTakesNobodyOutAndGoesOn) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  const std::uint64_t epoch = stage_.conductor().state().epoch;
  const engine::Plan plan = stage_.gate().restoration->plan;
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_GT(stage_.conductor().state().epoch, epoch);
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(500'000));
  EXPECT_TRUE(stage_.gate().no_raise);
  EXPECT_EQ(stage_.gate().restoration->plan, plan);
  ComeBack();
  stage_.Run(100ms);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, *Share::FromPpm(500'000));
  EXPECT_TRUE(
      stage_.RunUntil([&] { return stage_.agent("edge-1").report.enforced == Share::All(); }, 20s));
}

TEST_F(RecoveryTest, WhoClosedAGateIsKnownAfterARestart) {
  OpenShopAt(100);
  stage_.Do(engine::CloseGate{});
  stage_.Run(500ms);
  const TimePoint closed = stage_.conductor().timeline().LastMove("shop")->at;
  ASSERT_TRUE(stage_.Start().ok());
  ComeBack();
  stage_.Run(500ms);
  stage_.Do(engine::RotateCookieKey{.key = {.id = 7}});
  stage_.Run(500ms);
  const Move* move = stage_.conductor().timeline().LastMove("shop");
  ASSERT_NE(move, nullptr);
  EXPECT_EQ(move->share, Share::None());
  EXPECT_EQ(move->at, closed);
  EXPECT_EQ(move->cause.what, "close");
  EXPECT_EQ(move->cause.who, "anna");
  EXPECT_EQ(stage_.conductor().timeline().LastMove("blog"), nullptr);
}

TEST_F(RecoveryTest, ALoweringThatWasNeverRecordedIsFoundAtTheAgents) {
  OpenShopAt(0);
  RampTo(50);
  stage_.Run(500ms);
  stage_.journal().Hang();
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved);
  ASSERT_TRUE(stage_.RunUntil([&] { return closed->has_value(); }, 5s));
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(500'000));
  ComeBack();
  EXPECT_EQ(stage_.gate().share, Share::None());
  stage_.Run(1min);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, Share::None());
  EXPECT_EQ(stage_.agent("edge-2").report.enforced, Share::None());
}

TEST_F(RecoveryTest, ARaiseThatTheDyingControllerRecordedRaisesNobodyAtOnce) {
  OpenShopAt(0);
  RampTo(10);
  stage_.Run(500ms);
  stage_.journal().Hang();
  stage_.Run(4s);
  ASSERT_EQ(stage_.journal().Waiting(), 1U);
  ASSERT_TRUE(stage_.Start(1).ok());
  EXPECT_EQ(stage_.gate().share, *Share::FromPpm(500'000));
  ComeBack();
  stage_.Run(1s);
  EXPECT_EQ(stage_.agent("edge-1").report.enforced, *Share::FromPpm(100'000));
}

}  // namespace
}  // namespace headgate::conductor
