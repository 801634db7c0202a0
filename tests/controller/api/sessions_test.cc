// The agents' side of the wire.
#include <gtest/gtest.h>

#include <string>

#include "tests/controller/api/controller_under_test.h"

namespace headgate::api {
namespace {

using grpc::StatusCode;

class Sessions : public ControllerUnderTest {
 protected:
  std::shared_ptr<grpc::Channel> Edge() { return ChannelAs(tls::Role::kAgent, "edge-1"); }
  v1::Outcome Close() {
    grpc::ClientContext context;
    v1::GateRequest request;
    request.set_gate("shop");
    request.mutable_mutation()->set_wait_for(v1::SENT);
    v1::Outcome outcome;
    EXPECT_TRUE(OperatorAs(tls::Role::kOperator)->CloseGate(&context, request, &outcome).ok());
    return outcome;
  }
};

TEST_F(Sessions, AnAgentHearsNothingOfAGateThatDoesNotExist) {
  AgentClient client(Edge(), "shop");
  v1::ControllerMessage message;
  ASSERT_TRUE(client.Hear(message));
  EXPECT_TRUE(message.has_welcome());
  CreateShop();
  ASSERT_TRUE(client.Hear(message));
  ASSERT_TRUE(message.has_directive());
  EXPECT_EQ(message.directive().share_ppm(), 1'000'000U);
  EXPECT_EQ(message.directive().valid_for().seconds(), 15);
}

TEST_F(Sessions, AnAgentThatComesLateIsToldThePresentShare) {
  CreateShop();
  Close();
  AgentClient client(Edge(), "shop");
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  EXPECT_EQ(directive.share_ppm(), 0U);
}

TEST_F(Sessions, AnAgentObeysThePartOfItsLabelsUnderTheGatesOwnName) {
  CreateShop();
  grpc::ClientContext context;
  v1::SplitGateRequest request;
  request.set_gate("shop@eu");
  (*request.mutable_labels())["zone"] = "eu";
  request.mutable_mutation()->set_wait_for(v1::RECORDED);
  v1::Outcome outcome;
  const grpc::Status split =
      OperatorAs(tls::Role::kOperator)->SplitGate(&context, request, &outcome);
  ASSERT_TRUE(split.ok()) << split.error_message();
  EXPECT_EQ(outcome.gate().labels().at("zone"), "eu");
  EXPECT_EQ(GetShop().parts(0), "shop@eu");

  AgentClient client(Edge(), "");
  v1::AgentMessage hello = HelloFor("shop");
  (*hello.mutable_hello()->mutable_labels())["zone"] = "eu";
  client.Say(hello);
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  EXPECT_EQ(directive.gate(), "shop");
  EXPECT_EQ(directive.version().revision(), 2U);
  client.Report(directive, v1::OBSERVED);
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext looking;
    v1::GetGateRequest part;
    part.set_gate("shop@eu");
    v1::Gate gate;
    return OperatorAs(tls::Role::kViewer)->GetGate(&looking, part, &gate).ok() && gate.observed();
  }));
  EXPECT_EQ(GetShop().agents_size(), 0);
}

TEST_F(Sessions, WhatAnAgentReportsIsShown) {
  CreateShop();
  AgentClient client(Edge(), "shop");
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  EXPECT_FALSE(GetShop().observed());
  client.Report(directive, v1::OBSERVED);
  EXPECT_TRUE(Eventually([this] { return GetShop().observed(); }));
  EXPECT_EQ(GetShop().observed_min_ppm(), 1'000'000U);
}

TEST_F(Sessions, WhatALoadBalancerOnALocalOverrideLetsInIsShownWhateverItsStage) {
  CreateShop();
  AgentClient client(Edge(), "shop");
  AgentClient other(ChannelAs(tls::Role::kAgent, "edge-2"), "shop");
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  Close();
  while (directive.share_ppm() != 0) ASSERT_TRUE(client.HearDirective(directive));
  client.Report(directive, v1::OBSERVED);
  EXPECT_TRUE(Eventually([this] { return GetShop().observed(); }));
  EXPECT_EQ(GetShop().observed_max_ppm(), 0U);
  // The other one has said nothing of its share yet.
  EXPECT_EQ(GetShop().agents_unknown(), 1U);
  directive.set_share_ppm(1'000'000);
  other.Report(directive, v1::RECEIVED);
  EXPECT_TRUE(Eventually([this] { return GetShop().observed_max_ppm() == 1'000'000U; }));
  EXPECT_EQ(GetShop().observed_min_ppm(), 0U);
  EXPECT_EQ(GetShop().agents_unknown(), 0U);
  EXPECT_EQ(GetShop().agents_expected(), 2U);
}

TEST_F(Sessions, WhatARefusingLoadBalancerLetsInIsUnknownAndItsLastShareIsKept) {
  CreateShop();
  AgentClient client(Edge(), "shop");
  AgentClient other(ChannelAs(tls::Role::kAgent, "edge-2"), "shop");
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  client.Report(directive, v1::OBSERVED);
  directive.set_share_ppm(500'000);
  other.Report(directive, v1::REFUSED);
  EXPECT_TRUE(Eventually([this] {
    const v1::Gate gate = GetShop();
    return gate.observed() && gate.agents_size() == 2 &&
           gate.agents(1).report().stage() == v1::REFUSED;
  }));
  const v1::Gate gate = GetShop();
  EXPECT_EQ(gate.observed_min_ppm(), 1'000'000U);
  EXPECT_EQ(gate.agents_unknown(), 1U);
  EXPECT_EQ(gate.agents(1).report().enforced_ppm(), 500'000U);
}

TEST_F(Sessions, AnAgentThatThePlanNamesIsListedBeforeItConnects) {
  CreateShop();
  Close();
  AgentClient client(Edge(), "shop");
  grpc::ClientContext context;
  v1::StartRestorationRequest request;
  request.set_plan_yaml(
      "gate: shop\npreflight: {agents: [edge-1, edge-2], ready_for: 0s}\nchecks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n");
  request.set_when_ready(true);
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)->StartRestoration(&context, request, &outcome);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(Eventually([this] { return GetShop().agents_size() == 2; }));
  const v1::Gate gate = GetShop();
  EXPECT_EQ(gate.agents(1).name(), "edge-2");
  EXPECT_FALSE(gate.agents(1).connected());
  EXPECT_FALSE(gate.agents(1).has_report());
  EXPECT_FALSE(gate.agents(1).has_last_seen());
  EXPECT_EQ(gate.agents_expected(), 2U);
}

TEST_F(Sessions, RenewalsRepeatTheVersion) {
  CreateShop();
  AgentClient client(Edge(), "shop");
  v1::Directive first;
  v1::Directive second;
  ASSERT_TRUE(client.HearDirective(first));
  ASSERT_TRUE(client.HearDirective(second));
  EXPECT_EQ(first.version().revision(), second.version().revision());
  EXPECT_EQ(first.digest(), second.digest());
}

TEST_F(Sessions, AStreamThatNeverSaysHelloIsEnded) {
  grpc::ClientContext context;
  const auto stub = v1::AgentControl::NewStub(Edge());
  const auto stream = stub->Session(&context);
  v1::ControllerMessage message;
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(Sessions, AConnectionWithoutACallIsEndedAndOneWithASessionIsNot) {
  AgentClient client(Edge(), "shop");
  const std::shared_ptr<grpc::Channel> idle = ChannelAs(tls::Role::kViewer, "alice");
  const auto is_ready = [&] { return idle->GetState(false) == GRPC_CHANNEL_READY; };
  idle->GetState(/*try_to_connect=*/true);
  ASSERT_TRUE(Eventually(is_ready));
  EXPECT_TRUE(Eventually([&] { return !is_ready(); }, kIdleMax + std::chrono::seconds(20)));
  CreateShop();
  v1::Directive directive;
  EXPECT_TRUE(client.HearDirective(directive));
}

TEST_F(Sessions, TheFirstMessageMustBeHello) {
  AgentClient client(Edge(), "");
  v1::AgentMessage message;
  message.mutable_counters()->set_boot_id("boot");
  client.Say(message);
  v1::ControllerMessage answer;
  EXPECT_FALSE(client.Hear(answer));
  EXPECT_EQ(client.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(Sessions, ANewerSessionOfTheSameAgentEndsTheOlder) {
  AgentClient older(Edge(), "shop");
  v1::ControllerMessage message;
  ASSERT_TRUE(older.Hear(message));
  AgentClient newer(Edge(), "shop");
  ASSERT_TRUE(newer.Hear(message));
  EXPECT_FALSE(older.Hear(message));
  EXPECT_EQ(older.Finish().error_code(), StatusCode::ABORTED);
}

TEST_F(Sessions, AFrameThatIsTooLargeEndsTheSession) {
  AgentClient client(Edge(), "shop");
  v1::ControllerMessage answer;
  ASSERT_TRUE(client.Hear(answer));
  v1::AgentMessage message;
  message.mutable_report()->set_gate("shop");
  message.mutable_report()->set_trouble(std::string(70'000, 'x'));
  client.Say(message);
  EXPECT_FALSE(client.Hear(answer));
  EXPECT_EQ(client.Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(Sessions, AnotherProtocolIsRefusedWithTheRemedy) {
  AgentClient client(Edge(), "");
  v1::AgentMessage message = HelloFor("shop");
  message.mutable_hello()->set_protocol(2);
  client.Say(message);
  v1::ControllerMessage answer;
  EXPECT_FALSE(client.Hear(answer));
  const grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(status.error_message().find("same version"), std::string::npos);
}

TEST_F(Sessions, AShareBeyondAllIsRefused) {
  AgentClient client(Edge(), "");
  v1::AgentMessage message = HelloFor("shop");
  message.mutable_hello()->mutable_gates(0)->set_enforced_ppm(1'300'000);
  client.Say(message);
  v1::ControllerMessage answer;
  EXPECT_FALSE(client.Hear(answer));
  EXPECT_EQ(client.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(Sessions, ASessionEndsWithTheCertificateThatOpenedIt) {
  AgentClient client(ChannelAs(tls::Role::kAgent, "edge-1", Duration(3'000)), "shop");
  v1::ControllerMessage message;
  ASSERT_TRUE(client.Hear(message));
  while (client.Hear(message)) {
  }
  const grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_NE(status.error_message().find("certificate that opened this ended"), std::string::npos)
      << status.error_message();
}

TEST_F(Sessions, AnAgentThatFloodsIsCutOff) {
  AgentClient client(Edge(), "shop");
  v1::AgentMessage message;
  message.mutable_report()->set_gate("shop");
  message.mutable_report()->set_stage(v1::IDLE);
  // As fast as the stream takes them, until it is ended.
  while (client.TrySay(message)) {
  }
  v1::ControllerMessage answer;
  while (client.Hear(answer)) {
  }
  EXPECT_EQ(client.Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace headgate::api
