#include "common/tls/credentials.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "common/tls/local_socket.h"
#include "tests/common/tls/pki.h"

namespace headgate::tls {
namespace {

using testing::HasSubstr;

// Answers every call with OK and keeps who called last.
class EchoService : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    caller_ = PeerIdentity(*context->auth_context(), "example.org");
    class Reactor : public grpc::ServerGenericBidiReactor {
     public:
      Reactor() { Finish(grpc::Status::OK); }
      void OnDone() override { delete this; }
    };
    return new Reactor();
  }
  // Read once the call is over.
  absl::StatusOr<Identity> caller_ = absl::UnknownError("nobody called");
};

class Server {
 public:
  Server(const std::shared_ptr<grpc::ServerCredentials>& credentials, const std::string& address) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, credentials, &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }
  explicit Server(const Material& material) : Server(ServerCredentials(material), "127.0.0.1:0") {}
  ~Server() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5)); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const absl::StatusOr<Identity>& caller() const { return service_.caller_; }

 private:
  int port_ = 0;
  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
};

grpc::Status Call(const std::string& address,
                  const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::GenericStub stub(grpc::CreateChannel(address, credentials));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  const grpc::ByteBuffer request(nullptr, 0);
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, "/test.Echo/Call", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status;
}

// The handler ran: the generic service answers without a message, which a unary call calls
// internal.
bool Reached(const grpc::Status& status) {
  return status.ok() || status.error_code() != grpc::StatusCode::UNAVAILABLE;
}

class CredentialsTest : public testing::Test {
 protected:
  Material Proven(Role role, const std::string& name) {
    auto material = Load(pki_.Issue(role, name), TrueNow());
    EXPECT_TRUE(material.ok()) << material.status();
    return *std::move(material);
  }

  const Pki pki_;
};

TEST_F(CredentialsTest, BothSidesLearnWhoTheOtherIs) {
  const Server server(Proven(Role::kController, "one"));
  const auto status = Call(server.address(), ChannelCredentials(Proven(Role::kAgent, "edge-1")));
  ASSERT_TRUE(Reached(status)) << status.error_message();
  ASSERT_TRUE(server.caller().ok()) << server.caller().status();
  EXPECT_EQ(*server.caller(), (Identity{Role::kAgent, "edge-1", "example.org"}));
}

TEST_F(CredentialsTest, AnAgentsCertificateCannotPoseAsAController) {
  const Server server(Proven(Role::kAgent, "edge-1"));
  const auto status = Call(server.address(), ChannelCredentials(Proven(Role::kAgent, "edge-2")));
  EXPECT_FALSE(Reached(status));
  EXPECT_THAT(status.error_message(), HasSubstr("the server is agent edge-1, and no controller"));
  EXPECT_FALSE(server.caller().ok());
}

TEST_F(CredentialsTest, AServerWithTwoNamesIsRefused) {
  const TimePoint now = TrueNow();
  const Server server(Unproven(pki_.IssueOdd({"spiffe://example.org/headgate/controller/one",
                                              "spiffe://example.org/headgate/agent/edge-1"},
                                             now - kDay, now + kDay)));
  EXPECT_FALSE(Reached(Call(server.address(), ChannelCredentials(Proven(Role::kAgent, "edge-1")))));
}

TEST_F(CredentialsTest, ACallerWithTwoNamesIsNobody) {
  const Server server(Proven(Role::kController, "one"));
  const TimePoint now = TrueNow();
  const Material two = Unproven(pki_.IssueOdd(
      {"spiffe://example.org/headgate/agent/edge-1", "spiffe://example.org/headgate/approver/ada"},
      now - kDay, now + kDay));
  ASSERT_TRUE(Reached(Call(server.address(), ChannelCredentials(two))));
  EXPECT_EQ(server.caller().status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(server.caller().status().message()), HasSubstr("2 URI names"));
}

TEST_F(CredentialsTest, ACallerOfAnotherTrustDomainUnderTheSameAuthorityIsNobody) {
  const Server server(Proven(Role::kController, "one"));
  const TimePoint now = TrueNow();
  const Material foreign =
      Unproven(pki_.IssueOdd({"spiffe://evil.org/headgate/approver/ada"}, now - kDay, now + kDay));
  ASSERT_TRUE(Reached(Call(server.address(), ChannelCredentials(foreign))));
  EXPECT_EQ(server.caller().status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(CredentialsTest, AnExpiredCertificateDoesNotGetThroughTheHandshake) {
  const Server server(Proven(Role::kController, "one"));
  const TimePoint now = TrueNow();
  const Material expired = Unproven(
      pki_.IssueOdd({"spiffe://example.org/headgate/agent/edge-1"}, now - 2 * kDay, now - kDay));
  EXPECT_FALSE(Reached(Call(server.address(), ChannelCredentials(expired))));
  EXPECT_FALSE(server.caller().ok());
}

TEST_F(CredentialsTest, ACertificateOfAnotherAuthorityDoesNotGetThroughTheHandshake) {
  const Server server(Proven(Role::kController, "one"));
  const Pki theirs;
  Material material = Unproven(theirs.Issue(Role::kAgent, "edge-1"));
  // It trusts us, but we do not know it.
  material.ca_pem = ReadText(pki_.ca());
  EXPECT_FALSE(Reached(Call(server.address(), ChannelCredentials(material))));
  EXPECT_FALSE(server.caller().ok());
}

TEST_F(CredentialsTest, NobodyGetsInWithoutACertificate) {
  const Server server(Proven(Role::kController, "one"));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadText(pki_.ca());
  EXPECT_FALSE(Reached(Call(server.address(), grpc::SslCredentials(options))));
  EXPECT_FALSE(Reached(Call(server.address(), grpc::InsecureChannelCredentials())));
  EXPECT_FALSE(server.caller().ok());
}

TEST_F(CredentialsTest, TheLocalSocketLetsItsOwnerInAsApprover) {
  const auto address = PrepareLocalSocket(pki_.folder() / "run/root.sock");
  ASSERT_TRUE(address.ok()) << address.status();
  const Server server(LocalServerCredentials(), *address);
  ASSERT_TRUE(Reached(Call(*address, LocalChannelCredentials())));
  ASSERT_TRUE(server.caller().ok()) << server.caller().status();
  EXPECT_EQ(*server.caller(), (Identity{Role::kApprover, "root", "local"}));
}

TEST_F(CredentialsTest, APlaintextCallerIsNobody) {
  const Server server(grpc::InsecureServerCredentials(), "127.0.0.1:0");
  ASSERT_TRUE(Reached(Call(server.address(), grpc::InsecureChannelCredentials())));
  EXPECT_EQ(server.caller().status().code(), absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace headgate::tls
