// A gate in parts: each part's agents have its share, and nobody is let in or put out by the
// parting itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>

#include "tests/controller/conductor/conductor_testing.h"

namespace headgate::conductor {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

Share Percent(std::uint64_t percent) { return *Share::FromPpm(percent * 10'000); }

class PartsTest : public ConductorTest {
 protected:
  // edge-1 is in eu, edge-2 in us.
  void OpenShopWithZonesAt(std::uint64_t percent) {
    stage_.agent("edge-1").labels = {{"zone", "eu"}, {"tier", "a"}};
    stage_.agent("edge-2").labels = {{"zone", "us"}, {"tier", "a"}};
    OpenShopAt(percent);
  }
  absl::Status Settled(const std::shared_ptr<std::optional<Answer>>& answer) {
    EXPECT_TRUE(stage_.RunUntil([&] { return answer->has_value(); }));
    return answer->has_value() ? (*answer)->status : absl::UnknownError("no answer");
  }
  absl::Status Order(engine::Order order, const std::string& gate) {
    absl::Status status = Settled(stage_.Do(std::move(order), WaitFor::kObserved, gate));
    stage_.Run(500ms);
    return status;
  }
  absl::Status SplitEu() { return Order(engine::SplitGate{{{"zone", "eu"}}}, "shop@eu"); }
  Share Enforced(const std::string& agent) { return stage_.agent(agent).report.enforced; }
  engine::Plan PlanOf(const std::string& gate, const std::string& agent) {
    engine::PlanSpec spec = UsualPlan().spec();
    spec.gate = gate;
    spec.agents = {agent};
    return *engine::Plan::Create(std::move(spec));
  }
};

TEST_F(PartsTest, APartHasAShareOfItsOwnAndItsAgentsKnowOnlyTheGate) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  EXPECT_EQ(Enforced("edge-1"), Percent(50));
  EXPECT_EQ(Enforced("edge-2"), Percent(50));
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop@eu").ok());
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Percent(50));
  EXPECT_THAT(stage_.agent("edge-1").sent, Each(Field(&Directive::gate, "shop")));
}

TEST_F(PartsTest, AFullGateIsSplitWithoutAnybodyNoticingAndItsPartsSettle) {
  OpenShopWithZonesAt(100);
  ASSERT_TRUE(SplitEu().ok());
  stage_.Run(2s);
  for (const Directive& directive : stage_.agent("edge-1").sent) {
    EXPECT_EQ(directive.share, Share::All());
  }
  EXPECT_FALSE(stage_.gate("shop@eu").no_raise);
}

TEST_F(PartsTest, ARestorationOfAPartMovesThatPartAlone) {
  OpenShopWithZonesAt(0);
  ASSERT_TRUE(SplitEu().ok());
  stage_.Do(engine::StartRestoration{PlanOf("shop@eu", "edge-1"), true}, WaitFor::kSent, "shop@eu");
  ASSERT_TRUE(stage_.RunUntil([&] { return Enforced("edge-1") == Share::All(); }));
  EXPECT_EQ(Enforced("edge-2"), Share::None());
  EXPECT_EQ(stage_.gate().share, Share::None());
}

TEST_F(PartsTest, WhatOnePartCountsIsNoEvidenceForAnother) {
  OpenShopWithZonesAt(0);
  ASSERT_TRUE(SplitEu().ok());
  stage_.Do(engine::StartRestoration{PlanOf("shop@eu", "edge-1"), true}, WaitFor::kSent, "shop@eu");
  ASSERT_TRUE(stage_.RunUntil([&] { return Enforced("edge-1") == Percent(10); }));
  EXPECT_THAT(stage_.conductor().state().gates.at("shop@eu").evidence.traffic, testing::SizeIs(1));
  EXPECT_THAT(stage_.conductor().state().gates.at("shop").evidence.agents,
              Not(testing::Contains(testing::Key("edge-1"))));
}

TEST_F(PartsTest, ClosingTheGateClosesItsPartsAndWaitsForTheirAgents) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  stage_.agent("edge-1").obeys = false;
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved, "shop");
  ASSERT_TRUE(Settled(closed).ok());
  ASSERT_EQ((*closed)->unconfirmed.size(), 1U);
  EXPECT_EQ((*closed)->unconfirmed[0].agent, "edge-1");
  EXPECT_THAT((*closed)->summary, HasSubstr("shop@eu"));
  stage_.agent("edge-1").obeys = true;
  stage_.Run(500ms);
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Share::None());
}

TEST_F(PartsTest, ClosingAGateAllOfWhoseAgentsAreInPartsIsConfirmedByThem) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(Order(engine::SplitGate{{{"tier", "a"}}}, "shop@all").ok());
  const auto closed = stage_.Do(engine::CloseGate{}, WaitFor::kObserved, "shop");
  ASSERT_TRUE(Settled(closed).ok());
  EXPECT_TRUE((*closed)->unconfirmed.empty());
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Share::None());
}

TEST_F(PartsTest, PartsOutliveTheController) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  ASSERT_TRUE(Order(engine::Retreat{Percent(10)}, "shop@eu").ok());
  ASSERT_TRUE(stage_.Start(1'000).ok());
  ComeBack();
  stage_.Run(2s);
  EXPECT_EQ(Enforced("edge-1"), Percent(10));
  EXPECT_EQ(Enforced("edge-2"), Percent(50));
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop@eu").ok());
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Percent(50));
}

TEST_F(PartsTest, AnAgentThatComesWithThePartsLabelsObeysIt) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop@eu").ok());
  stage_.agent("edge-3").labels = {{"zone", "eu"}};
  stage_.Connect("edge-3");
  stage_.Run(500ms);
  EXPECT_EQ(Enforced("edge-3"), Share::None());
}

TEST_F(PartsTest, AnAgentWithAnotherLabelIsToldSomethingNewerAndIsNotRaisedByIt) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop@eu").ok());
  stage_.agent("edge-1").labels = {{"zone", "us"}};
  stage_.Disconnect("edge-1");
  stage_.Connect("edge-1");
  stage_.Run(500ms);
  EXPECT_EQ(stage_.agent("edge-1").report.version, stage_.gate().version);
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Percent(50));
  // And a lowering reaches it.
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop").ok());
  EXPECT_EQ(Enforced("edge-2"), Share::None());
  EXPECT_EQ(stage_.agent("edge-1").report.version, stage_.gate().version);
}

TEST_F(PartsTest, APartIsTakenBackAtOneShareOnly) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  ASSERT_TRUE(Order(engine::Retreat{Percent(10)}, "shop@eu").ok());
  EXPECT_THAT(std::string(Order(engine::RemoveGate{}, "shop@eu").message()),
              HasSubstr("bring both to one share first"));
  ASSERT_TRUE(Order(engine::Retreat{Percent(10)}, "shop").ok());
  const auto removed = stage_.Do(engine::RemoveGate{}, WaitFor::kObserved, "shop@eu");
  ASSERT_TRUE(Settled(removed).ok());
  EXPECT_TRUE((*removed)->recorded);
  stage_.Run(500ms);
  EXPECT_FALSE(stage_.conductor().state().gates.contains("shop@eu"));
  EXPECT_EQ(stage_.agent("edge-1").report.version, stage_.gate().version);
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop").ok());
  EXPECT_EQ(Enforced("edge-1"), Share::None());
  EXPECT_EQ(Enforced("edge-2"), Share::None());
  ASSERT_TRUE(stage_.Start(1'000).ok());
  EXPECT_FALSE(stage_.conductor().state().gates.contains("shop@eu"));
}

TEST_F(PartsTest, NoAgentCanBeInTwoParts) {
  OpenShopWithZonesAt(50);
  ASSERT_TRUE(SplitEu().ok());
  EXPECT_EQ(Order(engine::SplitGate{{{"tier", "a"}}}, "shop@a").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Order(engine::SplitGate{{{"zone", "us"}, {"tier", "a"}}}, "shop@us").ok());
}

TEST_F(PartsTest, WhatCannotBeAPartIsRefusedAndChangesNothing) {
  OpenShopWithZonesAt(50);
  const engine::SplitGate eu{{{"zone", "eu"}}};
  EXPECT_EQ(Order(engine::SplitGate{}, "shop@eu").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Order(eu, "shop").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Order(eu, "shop@EU").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Order(eu, "blog@eu").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Order(engine::CreateGate{Share::All()}, "shop@eu").code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(Order(engine::OpenGate{stage_.now() + 10min}, "shop").ok());
  EXPECT_THAT(std::string(Order(eu, "shop@eu").message()), HasSubstr("a part would outlive"));
  ASSERT_TRUE(Order(engine::CloseGate{}, "shop").ok());
  RampTo(10);
  EXPECT_THAT(std::string(Order(eu, "shop@eu").message()),
              HasSubstr("counts on its load balancers"));
  EXPECT_EQ(stage_.conductor().state().gates.size(), 1U);
  EXPECT_EQ(SplitEu().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PartsTest, CookiesOfOnePartAreGoodInAllAndANewKeyWaitsForEveryAgent) {
  const std::string secret(kCookieSecretBytes, 's');
  stage_.agent("edge-1").labels = {{"zone", "eu"}};
  ASSERT_TRUE(stage_.Start().ok());
  stage_.Connect("edge-1");
  stage_.Connect("edge-2");
  ASSERT_TRUE(Order(engine::CreateGate{Share::All(), CookieKey{7, secret}}, "shop").ok());
  ASSERT_TRUE(SplitEu().ok());
  EXPECT_EQ(stage_.agent("edge-1").sent.back().cookie_keys,
            stage_.agent("edge-2").sent.back().cookie_keys);
  const engine::RotateCookieKey rotate{CookieKey{7, std::string(kCookieSecretBytes, 't')}};
  EXPECT_THAT(std::string(Order(rotate, "shop@eu").message()), HasSubstr("rotate-key shop"));
  stage_.agent("edge-1").obeys = false;
  ASSERT_TRUE(Order(rotate, "shop").ok());
  stage_.Run(2s);
  EXPECT_EQ(stage_.gate().cookie_keys.issuing, 7U);
  stage_.agent("edge-1").obeys = true;
  stage_.Run(2s);
  EXPECT_EQ(stage_.gate().cookie_keys.issuing, 8U);
  EXPECT_EQ(stage_.gate("shop@eu").cookie_keys, stage_.gate().cookie_keys);
  EXPECT_EQ(stage_.agent("edge-1").sent.back().cookie_keys, stage_.gate().cookie_keys);
}

// Orders, restarts, and agents that change their labels, in any order.
class PartsTrial : public PartsTest, public testing::WithParamInterface<std::uint32_t> {
 protected:
  void TakeStep(std::mt19937& random) {
    const auto one_of = [&](std::uint64_t count) { return random() % count; };
    const std::string gate = std::array{"shop", "shop@eu", "shop@us"}[one_of(3)];
    const std::string agent = std::array{"edge-1", "edge-2"}[one_of(2)];
    switch (one_of(9)) {
      case 0:
        return Give(engine::SplitGate{{{"zone", gate == "shop@eu" ? "eu" : "us"}}}, gate);
      case 1:
        return Give(engine::RemoveGate{}, gate);
      case 2:
        return Give(engine::CloseGate{}, gate);
      case 3:
        return Give(engine::Retreat{Percent(one_of(100))}, gate);
      case 4:
        return Give(engine::OpenGate{stage_.now() + 10min}, gate);
      case 5:
        return Give(engine::RotateCookieKey{{7, std::string(kCookieSecretBytes, 'k')}}, gate);
      case 6:
        stage_.agent(agent).labels = {{"zone", std::array{"eu", "us", "asia"}[one_of(3)]}};
        stage_.Disconnect(agent);
        return stage_.Connect(agent);
      case 7:
        ASSERT_TRUE(stage_.Start(1'000).ok());
        return ComeBack();
      default:
        return stage_.Run(Duration(one_of(500)));
    }
  }
  void Give(engine::Order order, const std::string& gate) {
    stage_.Do(std::move(order), WaitFor::kSent, gate);
  }
  std::string GateOf(const std::string& agent) {
    return fleet::FindReport(*stage_.conductor().fleet().Find(agent), "shop")->gate;
  }
};

TEST_P(PartsTrial, AgentsAreNeverToldAnythingOlderAndAllConvergeWhateverIsDoneToParts) {
  OpenShopWithZonesAt(50);
  std::mt19937 random(GetParam());
  for (int step = 0; step < 60; ++step) TakeStep(random);
  stage_.Run(5s);
  for (const char* agent : {"edge-1", "edge-2"}) {
    const StageAgent& known = stage_.agent(agent);
    for (std::size_t i = 1; i < known.sent.size(); ++i) {
      ASSERT_GE(known.sent[i].version, known.sent[i - 1].version) << agent << " " << i;
    }
    const engine::GateRecord& gate = stage_.gate(GateOf(agent));
    ASSERT_EQ(known.report.version, gate.version) << agent << " of " << gate.gate;
    ASSERT_LE(known.report.enforced, gate.share) << agent << " of " << gate.gate;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PartsTrial, testing::Range(1U, 61U));

TEST_F(PartsTest, AGateIsForgottenWhenNobodyObeysIt) {
  OpenShopWithZonesAt(50);
  EXPECT_THAT(std::string(Order(engine::RemoveGate{}, "shop").message()),
              HasSubstr("agent edge-1 obeys gate shop"));
  stage_.Disconnect("edge-1");
  stage_.Disconnect("edge-2");
  ASSERT_TRUE(Order(engine::RemoveGate{}, "shop").ok());
  EXPECT_TRUE(stage_.conductor().state().gates.empty());
  EXPECT_TRUE(stage_.conductor().fleet().agents().empty());
  ASSERT_TRUE(stage_.Start(1'000).ok());
  EXPECT_TRUE(stage_.conductor().state().gates.empty());
}

}  // namespace
}  // namespace headgate::conductor
