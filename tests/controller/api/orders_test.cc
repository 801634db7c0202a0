// The operators' side of the wire.
#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/controller/api/controller_under_test.h"

namespace headgate::api {
namespace {

using grpc::StatusCode;

class Orders : public ControllerUnderTest {
 protected:
  grpc::Status Close(v1::WaitFor wait_for, v1::Outcome& outcome, const std::string& id = "",
                     bool dry_run = false) {
    grpc::ClientContext context;
    v1::GateRequest request;
    request.set_gate("shop");
    request.mutable_mutation()->set_wait_for(wait_for);
    request.mutable_mutation()->set_request_id(id);
    request.mutable_mutation()->set_dry_run(dry_run);
    return OperatorAs(tls::Role::kOperator)->CloseGate(&context, request, &outcome);
  }

  grpc::Status Open(const google::protobuf::Duration& length, const std::string& reason) {
    grpc::ClientContext context;
    v1::OpenGateRequest request;
    request.set_gate("shop");
    *request.mutable_duration() = length;
    request.mutable_mutation()->set_reason(reason);
    v1::Outcome outcome;
    return OperatorAs(tls::Role::kApprover)->OpenGate(&context, request, &outcome);
  }
};

TEST_F(Orders, CloseNamesEachAgentThatHasNotConfirmedWithinItsTime) {
  CreateShop();
  AgentClient client(ChannelAs(tls::Role::kAgent, "edge-1"), "shop");
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::WAIT_OBSERVED, outcome).ok());
  ASSERT_EQ(outcome.unconfirmed_size(), 1);
  EXPECT_EQ(outcome.unconfirmed(0).agent(), "edge-1");
  EXPECT_FALSE(outcome.unconfirmed(0).why().empty());
}

TEST_F(Orders, CloseWorksWhileTheJournalHangsAndSaysThatItIsNotRecorded) {
  CreateShop();
  journal().Hang();
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::SENT, outcome).ok());
  EXPECT_FALSE(outcome.recorded());
  EXPECT_EQ(outcome.gate().share_ppm(), 0U);
  EXPECT_FALSE(outcome.gate().recorded());
  journal().Heal();
  EXPECT_TRUE(Eventually([this] { return GetShop().recorded(); }));
}

TEST_F(Orders, ARepeatedRequestDoesNothingTwice) {
  CreateShop();
  v1::Outcome first;
  v1::Outcome second;
  ASSERT_TRUE(Close(v1::SENT, first, "close-1").ok());
  ASSERT_TRUE(Close(v1::SENT, second, "close-1").ok());
  EXPECT_FALSE(first.repeated());
  EXPECT_TRUE(second.repeated());
  EXPECT_EQ(first.gate().version().revision(), second.gate().version().revision());
}

TEST_F(Orders, CloseIsCarriedOutHoweverLongItsReason) {
  CreateShop();
  grpc::ClientContext context;
  v1::GateRequest request;
  request.set_gate("shop");
  request.mutable_mutation()->set_reason(std::string(5'000, 'x'));
  request.mutable_mutation()->set_request_id(std::string(500, 'y'));
  v1::Outcome outcome;
  ASSERT_TRUE(OperatorAs(tls::Role::kOperator)->CloseGate(&context, request, &outcome).ok());
  EXPECT_EQ(outcome.gate().share_ppm(), 0U);
  EXPECT_EQ(outcome.gate().changed_by().why().size(), 1'024U);
}

TEST_F(Orders, OpenNeedsAReasonThatCanBeRead) {
  CreateShop();
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::SENT, outcome).ok());
  google::protobuf::Duration length;
  length.set_seconds(600);
  const grpc::Status status = Open(length, " \t\n");
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("say why, with --reason"), std::string::npos);
  EXPECT_EQ(GetShop().share_ppm(), 0U);
}

TEST_F(Orders, WhatIsNoDurationIsRefusedByItsNameAndKeepsNobodyFromLowering) {
  CreateShop();
  v1::Outcome outcome;
  google::protobuf::Duration wrong;
  wrong.set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Open(wrong, "x").error_message(),
            "duration: 9223372036854775807 seconds and 0 nanos are no duration: write at most "
            "315576000000 seconds and 999999999 nanos either way, both of one sign");
  for (const auto& [seconds, nanos] :
       std::vector<std::pair<std::int64_t, std::int32_t>>{{60, 2'147'483'647}, {60, -1}}) {
    wrong.set_seconds(seconds);
    wrong.set_nanos(nanos);
    EXPECT_EQ(Open(wrong, "x").error_code(), StatusCode::INVALID_ARGUMENT);
    v1::StartRestorationRequest start;
    start.mutable_plan()->set_gate("shop");
    *start.mutable_plan()->add_checks()->mutable_window() = wrong;
    grpc::ClientContext context;
    EXPECT_NE(OperatorAs(tls::Role::kOperator)
                  ->StartRestoration(&context, start, &outcome)
                  .error_message()
                  .find("plan.checks[0].window: 60 seconds and "),
              std::string::npos);
    v1::GateRequest request;
    request.set_gate("shop");
    *request.mutable_mutation()->mutable_wait_timeout() = wrong;
    grpc::ClientContext rotating;
    EXPECT_NE(OperatorAs(tls::Role::kOperator)
                  ->RotateCookieKey(&rotating, request, &outcome)
                  .error_message()
                  .find("mutation.wait_timeout: 60 seconds and "),
              std::string::npos);
    grpc::ClientContext closing;
    EXPECT_TRUE(OperatorAs(tls::Role::kOperator)->CloseGate(&closing, request, &outcome).ok());
  }
  EXPECT_EQ(GetShop().share_ppm(), 0U);
}

TEST_F(Orders, APartIsFoundByEveryLabelThatAnAgentMayHave) {
  CreateShop();
  const auto split = [&](std::size_t bytes) {
    grpc::ClientContext context;
    v1::SplitGateRequest request;
    request.set_gate("shop@eu");
    (*request.mutable_labels())[std::string(bytes, 'k')] = std::string(bytes, 'v');
    v1::Outcome outcome;
    return OperatorAs(tls::Role::kOperator)->SplitGate(&context, request, &outcome);
  };
  EXPECT_NE(split(129).error_message().find("labels of at most 128 bytes"), std::string::npos);
  const grpc::Status longest = split(128);
  EXPECT_TRUE(longest.ok()) << longest.error_message();
}

TEST_F(Orders, AnEmptyPlanIsCalledEmpty) {
  grpc::ClientContext context;
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)
          ->StartRestoration(&context, v1::StartRestorationRequest(), &outcome);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "the plan is empty: see docs/PLAN.md for an example");
}

TEST_F(Orders, ADryRunChangesNothing) {
  CreateShop();
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::SENT, outcome, "", true).ok());
  EXPECT_NE(outcome.summary().find("dry run"), std::string::npos);
  EXPECT_EQ(GetShop().share_ppm(), 1'000'000U);
}

TEST_F(Orders, ADryStartListsWhatItWouldWaitForAsTheCliReadsIt) {
  CreateShop();
  v1::Outcome closed;
  ASSERT_TRUE(Close(v1::SENT, closed).ok());
  grpc::ClientContext context;
  v1::StartRestorationRequest request;
  request.set_plan_yaml(
      "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n");
  request.mutable_mutation()->set_dry_run(true);
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)->StartRestoration(&context, request, &outcome);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_NE(outcome.summary().find("and wait for: agent edge-1 has not connected"),
            std::string::npos)
      << outcome.summary();
  EXPECT_NE(outcome.summary().find("; its checks, which are read once it has started"),
            std::string::npos)
      << outcome.summary();
}

TEST_F(Orders, APlanThatExpectsASchemaNeedsWhatItsFileComesTo) {
  CreateShop();
  v1::Outcome closed;
  ASSERT_TRUE(Close(v1::SENT, closed).ok());
  v1::StartRestorationRequest request;
  request.set_plan_yaml(
      "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n"
      "databases: {orders: {engine: postgres, primary: host=db1, expect: schema.baseline}}\n");
  request.mutable_mutation()->set_dry_run(true);
  const auto start = [&] {
    grpc::ClientContext context;
    v1::Outcome outcome;
    return OperatorAs(tls::Role::kOperator)->StartRestoration(&context, request, &outcome);
  };
  const grpc::Status alone = start();
  EXPECT_EQ(alone.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(alone.error_message(),
            "plan.yaml:5:67: databases.orders.expect: 'schema.baseline' was not sent along with "
            "the plan: headgate start does so; whoever calls the API sends its fingerprint");
  v1::ExpectedSchema& expected = (*request.mutable_expected())["orders"];
  expected.set_fingerprint("0123456789abcdef0123456789abcdef");
  // As much as a plan may have, and its call takes it.
  for (int i = 0; i < 6'000; ++i) (*expected.mutable_tables())[fmt::format("t.{:06}", i)] = 7;
  const grpc::Status whole = start();
  EXPECT_TRUE(whole.ok()) << whole.error_message();
  for (int i = 6'000; i < 7'000; ++i) (*expected.mutable_tables())[fmt::format("t.{:06}", i)] = 7;
  EXPECT_EQ(start().error_message(),
            "plan.yaml:5:67: databases.orders.expect.tables: the tables of all expected schemas "
            "take more than 128 KiB: leave some out, the fingerprint is enough");
}

TEST_F(Orders, AViewSaysWhenItWasSoAndWhyNothingIsRecorded) {
  CreateShop();
  EXPECT_TRUE(GetShop().has_as_of());
  EXPECT_FALSE(GetShop().has_unrecorded_for());
  journal().Hang();
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::SENT, outcome).ok());
  EXPECT_TRUE(outcome.gate().has_unrecorded_for());
  EXPECT_EQ(outcome.gate().record_trouble(), "");
  journal().Heal();
  journal().Fail(absl::UnavailableError("disk full"));
  ASSERT_TRUE(Close(v1::SENT, outcome).ok());
  EXPECT_TRUE(Eventually(
      [this] { return GetShop().record_trouble().find("disk full") != std::string::npos; }));
}

TEST_F(Orders, AViewSaysWhoClosedTheGateAndClaimsNothingOfChecksThatNobodyAsksAnyMore) {
  CreateShop();
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::SENT, outcome).ok());
  EXPECT_EQ(GetShop().moved_by().what(), "close");
  EXPECT_EQ(GetShop().moved_by().who(), "operator alice");
  const auto stub = OperatorAs(tls::Role::kOperator);
  grpc::ClientContext start;
  v1::StartRestorationRequest request;
  request.set_plan_yaml(
      "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n");
  request.set_when_ready(true);
  ASSERT_TRUE(stub->StartRestoration(&start, request, &outcome).ok());
  EXPECT_EQ(GetShop().restoration().checks(0).verdict(), v1::UNKNOWN);
  grpc::ClientContext abort;
  v1::RetreatRequest end;
  end.set_gate("shop");
  ASSERT_TRUE(stub->AbortRestoration(&abort, end, &outcome).ok());
  const v1::Gate gate = GetShop();
  EXPECT_EQ(gate.restoration().phase(), v1::PHASE_ABORTED);
  EXPECT_TRUE(gate.restoration().checks(0).not_watched());
  EXPECT_EQ(gate.restoration().checks(0).verdict(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(gate.restoration().checks(0).unknown_why(), v1::CheckState::UNKNOWN_WHY_UNSPECIFIED);
  // Who has ended it has closed nothing.
  EXPECT_EQ(gate.moved_by().what(), "close");
}

TEST_F(Orders, WhatIsWaitedForIsToldInSharesNotInVersions) {
  CreateShop();
  v1::Outcome closed;
  ASSERT_TRUE(Close(v1::SENT, closed).ok());
  AgentClient client(ChannelAs(tls::Role::kAgent, "edge-1"), "shop");
  v1::Directive directive;
  ASSERT_TRUE(client.HearDirective(directive));
  grpc::ClientContext context;
  v1::StartRestorationRequest request;
  request.set_plan_yaml(
      "gate: shop\npreflight: {agents: [edge-1], ready_for: 90s}\nchecks:\n"
      "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n");
  request.set_when_ready(true);
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)->StartRestoration(&context, request, &outcome);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const v1::Restoration& restoration = outcome.gate().restoration();
  bool has_share = false;
  for (const std::string& wait : restoration.waits_for()) {
    has_share = has_share || wait == "edge-1 to prove 0 %";
    EXPECT_EQ(wait.find("version"), std::string::npos) << wait;
  }
  EXPECT_TRUE(has_share) << restoration.DebugString();
}

TEST_F(Orders, AnUnknownGateIsNotFoundAndTheErrorSaysWhatToType) {
  v1::Outcome outcome;
  const grpc::Status status = Close(v1::SENT, outcome);
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_NE(status.error_message().find("headgate gates create shop"), std::string::npos);
}

TEST_F(Orders, AMistypedGateIsNotAdvisedIntoBeing) {
  CreateShop();
  grpc::ClientContext context;
  v1::GateRequest request;
  request.set_gate("shup");
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)->CloseGate(&context, request, &outcome);
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "there is no gate 'shup'; there are: shop");
  grpc::ClientContext looks;
  v1::GetGateRequest look;
  look.set_gate("shup");
  v1::Gate gate;
  EXPECT_EQ(OperatorAs(tls::Role::kViewer)->GetGate(&looks, look, &gate).error_message(),
            "there is no gate 'shup'; there are: shop");
}

TEST_F(Orders, ABadPlanIsRefusedWithLineAndColumn) {
  CreateShop();
  grpc::ClientContext context;
  v1::StartRestorationRequest request;
  request.set_plan_yaml("gate: shop\nramp: {steps: [1%, 130%]}\n");
  request.set_file_name("restore-shop.yaml");
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)->StartRestoration(&context, request, &outcome);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("restore-shop.yaml:2:"), std::string::npos)
      << status.error_message();
}

TEST_F(Orders, AWatcherSeesTheGateAtOnceAndAfterEachChange) {
  CreateShop();
  const auto stub = OperatorAs(tls::Role::kViewer);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::GetGateRequest request;
  request.set_gate("shop");
  const auto reader = stub->WatchGate(&context, request);
  v1::Gate gate;
  ASSERT_TRUE(reader->Read(&gate));
  EXPECT_EQ(gate.share_ppm(), 1'000'000U);
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::SENT, outcome).ok());
  while (gate.share_ppm() != 0) ASSERT_TRUE(reader->Read(&gate));
  EXPECT_EQ(gate.changed_by().what(), "close");
  context.TryCancel();
}

TEST_F(Orders, AWatchEndsWithTheCertificateThatOpenedIt) {
  CreateShop();
  const auto stub = v1::Headgate::NewStub(ChannelAs(tls::Role::kViewer, "alice", Duration(3'000)));
  grpc::ClientContext context;
  v1::GetGateRequest request;
  request.set_gate("shop");
  const auto stream = stub->WatchGate(&context, request);
  v1::Gate gate;
  ASSERT_TRUE(stream->Read(&gate));
  while (stream->Read(&gate)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(Orders, TheTimelineTellsWhoDidWhat) {
  CreateShop();
  v1::Outcome outcome;
  ASSERT_TRUE(Close(v1::RECORDED, outcome).ok());
  EXPECT_TRUE(outcome.recorded());
  grpc::ClientContext context;
  v1::ListTimelineRequest request;
  request.set_gate("shop");
  v1::ListTimelineResponse timeline;
  ASSERT_TRUE(OperatorAs(tls::Role::kViewer)->ListTimeline(&context, request, &timeline).ok());
  ASSERT_GE(timeline.entries_size(), 2);
  const v1::TimelineEntry& last = timeline.entries(timeline.entries_size() - 1);
  EXPECT_NE(last.text().find("close at 100 % -> 0 %"), std::string::npos) << last.text();
  EXPECT_NE(last.text().find("operator alice"), std::string::npos) << last.text();
  EXPECT_GT(last.sequence(), 0U);
}

}  // namespace
}  // namespace headgate::api
