// Parts of a gate, and gates that are removed, while the journal hangs or fails, the controller is
// restarted, and agents are away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/controller/conductor/conductor_testing.h"

namespace headgate::conductor {
namespace {

using namespace std::chrono_literals;

Share Percent(std::uint64_t percent) { return *Share::FromPpm(percent * 10'000); }

class PartsTroubleTest : public ConductorTest {
 protected:
  // edge-1 is in eu, edge-2 in us.
  void OpenShopAndSplitEuAt(std::uint64_t percent) {
    stage_.agent("edge-1").labels = {{"zone", "eu"}};
    stage_.agent("edge-2").labels = {{"zone", "us"}};
    OpenShopAt(percent);
    Give(engine::SplitGate{{{"zone", "eu"}}}, "shop@eu");
    stage_.Run(2s);
    ASSERT_TRUE(stage_.conductor().state().gates.contains("shop@eu"));
  }
  void Give(engine::Order order, const std::string& gate) {
    stage_.Do(std::move(order), WaitFor::kSent, gate);
    stage_.Turn();
  }
  void FailRecording() { stage_.journal().Fail(absl::ResourceExhaustedError("disk full")); }
  bool HasPart() { return stage_.conductor().state().gates.contains("shop@eu"); }
  Share Enforced(const std::string& agent) { return stage_.agent(agent).report.enforced; }
};

TEST_F(PartsTroubleTest, AnAgentOfARemovedGateObeysTheNextOneOfThatName) {
  OpenShopAt(100);
  for (const std::uint64_t percent : {90U, 80U, 70U}) {
    Give(engine::Retreat{Percent(percent)}, "shop");
    stage_.Run(200ms);
  }
  stage_.Disconnect("edge-1");
  stage_.Disconnect("edge-2");
  Give(engine::RemoveGate{}, "shop");
  ASSERT_TRUE(stage_.conductor().state().gates.empty());
  Give(engine::CreateGate{Percent(20)}, "shop");
  ComeBack();
  stage_.Run(500ms);
  EXPECT_EQ(Enforced("edge-1"), Percent(20));
  Give(engine::CloseGate{}, "shop");
  stage_.Run(500ms);
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Share::None());
}

TEST_F(PartsTroubleTest, AGateThatComesBackFromItsAgentsAfterItsRemovalCanBeClosed) {
  OpenShopAt(100);
  Give(engine::Retreat{Percent(70)}, "shop");
  stage_.Run(200ms);
  stage_.Disconnect("edge-1");
  stage_.Disconnect("edge-2");
  Give(engine::RemoveGate{}, "shop");
  ComeBack();
  stage_.Run(200ms);
  Give(engine::CloseGate{}, "shop");
  stage_.Run(500ms);
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Share::None());
}

TEST_F(PartsTroubleTest, ARemovalThatTheJournalDidNotTakeIsRecordedBeforeAnythingAfterIt) {
  OpenShopAndSplitEuAt(50);
  FailRecording();
  Give(engine::RemoveGate{}, "shop@eu");
  EXPECT_FALSE(HasPart());
  EXPECT_FALSE(stage_.conductor().state().journal_trouble.empty());
  stage_.journal().Heal();
  Give(engine::CloseGate{}, "shop");
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_FALSE(HasPart());
  EXPECT_EQ(stage_.gate().share, Share::None());
}

TEST_F(PartsTroubleTest, ARemovalThatTheJournalDidNotTakeIsTriedAgain) {
  OpenShopAndSplitEuAt(50);
  FailRecording();
  Give(engine::RemoveGate{}, "shop@eu");
  Give(engine::SplitGate{{{"zone", "eu"}}}, "shop@eu");
  EXPECT_FALSE(HasPart());
  stage_.journal().Heal();
  stage_.Run(2s);
  EXPECT_TRUE(stage_.conductor().state().removals.empty());
  EXPECT_TRUE(stage_.conductor().state().journal_trouble.empty());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_FALSE(HasPart());
}

TEST_F(PartsTroubleTest, WhoClosesTheGateWhileAPartIsBeingRecordedMeansThePartToo) {
  stage_.agent("edge-1").labels = {{"zone", "eu"}};
  OpenShopAt(50);
  stage_.journal().Hang();
  Give(engine::SplitGate{{{"zone", "eu"}}}, "shop@eu");
  Give(engine::CloseGate{}, "shop");
  stage_.journal().Heal();
  stage_.Run(1s);
  EXPECT_FALSE(HasPart());
  EXPECT_EQ(stage_.gate().share, Share::None());
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_FALSE(HasPart());
}

TEST_F(PartsTroubleTest, AGateThatIsRemovedWhileAPartIsBeingRecordedLeavesNoPart) {
  stage_.agent("edge-1").labels = {{"zone", "eu"}};
  OpenShopAt(50);
  stage_.Disconnect("edge-1");
  stage_.Disconnect("edge-2");
  stage_.journal().Hang();
  Give(engine::SplitGate{{{"zone", "eu"}}}, "shop@eu");
  Give(engine::RemoveGate{}, "shop");
  stage_.journal().Heal();
  stage_.Run(1s);
  EXPECT_TRUE(stage_.conductor().state().gates.empty());
  ASSERT_TRUE(stage_.Start().ok());
  EXPECT_TRUE(stage_.conductor().state().gates.empty());
}

TEST_F(PartsTroubleTest, WhoLowersTheGateAloneIsToldOfItsParts) {
  OpenShopAndSplitEuAt(50);
  const auto lowered = stage_.Do(engine::Retreat{Percent(10)}, WaitFor::kSent, "shop");
  stage_.Turn();
  ASSERT_TRUE(lowered->has_value());
  EXPECT_THAT((*lowered)->summary, testing::HasSubstr("not part of that: shop@eu"));
}

TEST_F(PartsTroubleTest, WhoLowersAPartThatIsNotKnownIsToldWhatCloses) {
  OpenShopAt(50);
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kSent, "shop@eu");
  stage_.Turn();
  ASSERT_TRUE(closed->has_value());
  EXPECT_EQ((*closed)->status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string((*closed)->status.message()),
              testing::HasSubstr("`headgate close shop` closes all of shop"));
}

TEST_F(PartsTroubleTest, ALoweringOfAPartThatWasNeverRecordedStandsWhateverIsRecordedOfTheGate) {
  OpenShopAndSplitEuAt(50);
  FailRecording();
  Give(engine::Retreat{Percent(10)}, "shop@eu");
  stage_.Run(200ms);
  ASSERT_EQ(Enforced("edge-1"), Percent(10));
  stage_.journal().Heal();
  Give(engine::Retreat{Percent(40)}, "shop");
  ASSERT_TRUE(stage_.Start().ok());
  ASSERT_EQ(stage_.gate("shop@eu").share, Percent(50));
  ComeBack();
  stage_.Run(1s);
  EXPECT_EQ(stage_.gate("shop@eu").share, Percent(10));
  EXPECT_EQ(stage_.gate().share, Percent(40));
}

TEST_F(PartsTroubleTest, AnAgentUnderAWordOnItsBoxIsAWitnessThatThereWasAnOrder) {
  OpenShopAt(0);
  stage_.Do(engine::StartRestoration{UsualPlan(), true});
  ASSERT_TRUE(stage_.RunUntil([&] { return stage_.gate().share == Percent(10); }));
  stage_.Run(500ms);
  FailRecording();
  Give(engine::Retreat{Percent(5)}, "shop");
  stage_.Run(200ms);
  for (const char* agent : {"edge-1", "edge-2"}) {
    ASSERT_EQ(Enforced(agent), Percent(5));
    stage_.agent(agent).report.local_override = fleet::LocalOverride{true, Percent(1), {}};
    stage_.agent(agent).report.enforced = Percent(1);
  }
  ASSERT_TRUE(stage_.Start().ok());
  ComeBack();
  stage_.Run(200ms);
  EXPECT_EQ(stage_.gate().share, Percent(10));
  const auto* held = std::get_if<engine::Holding>(&stage_.gate().restoration->phase);
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->why, engine::Holding::Why::kAgentDiffers);
}

TEST_F(PartsTroubleTest, AnAgentThatComesOverWhileTheControllerIsDownLowersNobody) {
  OpenShopAndSplitEuAt(50);
  Give(engine::Retreat{Percent(10)}, "shop");
  stage_.Run(500ms);
  stage_.agent("edge-2").labels = {{"zone", "eu"}};
  ASSERT_TRUE(stage_.Start(1'000).ok());
  ComeBack();
  stage_.Run(1s);
  EXPECT_EQ(stage_.gate("shop@eu").share, Percent(50));
  EXPECT_EQ(Enforced("edge-1"), Percent(50));
  EXPECT_EQ(Enforced("edge-2"), Percent(10));
}

TEST_F(PartsTroubleTest, AnotherLabelRaisesNobodyAlsoWhereItsPartHasTheNewestWord) {
  OpenShopAndSplitEuAt(50);
  Give(engine::Retreat{Percent(10)}, "shop");
  stage_.Run(500ms);
  Give(engine::Retreat{Percent(50)}, "shop@eu");
  stage_.Run(500ms);
  stage_.agent("edge-2").labels = {{"zone", "eu"}};
  stage_.Disconnect("edge-2");
  stage_.Connect("edge-2");
  stage_.Run(1s);
  EXPECT_EQ(Enforced("edge-2"), Percent(10));
  EXPECT_EQ(Enforced("edge-1"), Percent(50));
  EXPECT_EQ(stage_.agent("edge-2").report.version, stage_.gate("shop@eu").version);
  // One entry for one move.
  std::size_t joined = 0;
  for (const TimelineItem* item : stage_.conductor().timeline().Newest("shop@eu", 100)) {
    if (item->text.find("[edge-2]") != std::string::npos) ++joined;
  }
  EXPECT_EQ(joined, 1U);
}

}  // namespace
}  // namespace headgate::conductor
