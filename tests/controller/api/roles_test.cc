// Who may do what: by the role of their certificate, and by nothing else.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "common/tls/credentials.h"
#include "tests/controller/api/controller_under_test.h"

namespace headgate::api {
namespace {

using grpc::StatusCode;

class Roles : public ControllerUnderTest {
 protected:
  StatusCode CloseAs(tls::Role role) {
    grpc::ClientContext context;
    v1::GateRequest request;
    request.set_gate("shop");
    v1::Outcome outcome;
    return OperatorAs(role)->CloseGate(&context, request, &outcome).error_code();
  }
  StatusCode OpenAs(tls::Role role) {
    grpc::ClientContext context;
    v1::OpenGateRequest request;
    request.set_gate("shop");
    request.mutable_duration()->set_seconds(60);
    request.mutable_mutation()->set_reason("the board asked");
    v1::Outcome outcome;
    return OperatorAs(role)->OpenGate(&context, request, &outcome).error_code();
  }
};

TEST_F(Roles, AnAgentsCertificateCallsNoOperatorsVerb) {
  CreateShop();
  EXPECT_EQ(CloseAs(tls::Role::kAgent), StatusCode::PERMISSION_DENIED);
  grpc::ClientContext context;
  v1::ListGatesResponse response;
  EXPECT_EQ(OperatorAs(tls::Role::kAgent)
                ->ListGates(&context, v1::ListGatesRequest(), &response)
                .error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(GetShop().share_ppm(), 1'000'000U);
}

TEST_F(Roles, AnOperatorsCertificateOpensNoAgentsSession) {
  for (const tls::Role role :
       {tls::Role::kViewer, tls::Role::kOperator, tls::Role::kApprover, tls::Role::kController}) {
    AgentClient client(ChannelAs(role, "alice"), "shop");
    v1::ControllerMessage message;
    EXPECT_FALSE(client.Hear(message));
    EXPECT_EQ(client.Finish().error_code(), StatusCode::PERMISSION_DENIED);
  }
}

TEST_F(Roles, AnAgentSpeaksForTheNameInItsCertificateOnly) {
  CreateShop();
  AgentClient client(ChannelAs(tls::Role::kAgent, "edge-7"), "shop");
  v1::ControllerMessage message;
  ASSERT_TRUE(client.Hear(message));
  EXPECT_EQ(message.welcome().agent(), "edge-7");
  ASSERT_EQ(GetShop().agents_size(), 1);
  EXPECT_EQ(GetShop().agents(0).name(), "edge-7");
}

TEST_F(Roles, AViewerLooksAnOperatorLowersAnApproverOpens) {
  CreateShop();
  EXPECT_EQ(CloseAs(tls::Role::kViewer), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(CloseAs(tls::Role::kOperator), StatusCode::OK);
  EXPECT_EQ(OpenAs(tls::Role::kOperator), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(GetShop().share_ppm(), 0U);
  EXPECT_EQ(OpenAs(tls::Role::kApprover), StatusCode::OK);
  EXPECT_EQ(GetShop().share_ppm(), 1'000'000U);
}

TEST_F(Roles, NobodyGetsInWithoutACertificate) {
  const std::shared_ptr<grpc::Channel> channel = ChannelAs(tls::Role::kViewer, "alice");
  ASSERT_NE(channel, nullptr);
  // The port of the listener with mTLS, spoken to in plaintext.
  const auto stub = v1::Headgate::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port()),
                                                              grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  v1::ListGatesResponse response;
  EXPECT_FALSE(stub->ListGates(&context, v1::ListGatesRequest(), &response).ok());
}

TEST_F(Roles, TheLocalSocketIsTheWayInWhenCertificatesAreDead) {
  CreateShop();
  const auto stub = v1::Headgate::NewStub(
      grpc::CreateChannel("unix:" + socket(), tls::LocalChannelCredentials()));
  grpc::ClientContext context;
  v1::GateRequest request;
  request.set_gate("shop");
  v1::Outcome outcome;
  ASSERT_TRUE(stub->CloseGate(&context, request, &outcome).ok());
  EXPECT_EQ(outcome.gate().share_ppm(), 0U);
  EXPECT_EQ(outcome.gate().changed_by().who(), "approver root");
}

}  // namespace
}  // namespace headgate::api
