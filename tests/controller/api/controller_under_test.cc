#include "tests/controller/api/controller_under_test.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "common/tls/credentials.h"
#include "common/tls/files.h"
#include "controller/plan/plan.h"

namespace headgate::api {

void ControllerUnderTest::SetUp() {
  std::string name = testing::TempDir() + "headgate-api-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  folder_ = name;
  const std::string authority = (folder_ / "pki").string();
  ASSERT_TRUE(
      tls::CreateAuthority({.directory = authority, .trust_domain = "test"}, clock_.Now()).ok());
  const auto issued = tls::IssueCertificate({.authority_directory = authority,
                                             .directory = authority,
                                             .role = tls::Role::kController,
                                             .name = "one"},
                                            clock_.Now());
  ASSERT_TRUE(issued.ok()) << issued.status();
  const auto material =
      tls::Load({authority + "/ca.crt", issued->certificate_path, issued->key_path}, clock_.Now());
  ASSERT_TRUE(material.ok()) << material.status();

  log_ = std::make_unique<Log>(clock_, Log::Options{.level = LogLevel::kError});
  loop_ = std::make_unique<Loop>(clock_);
  registry_ = std::make_shared<prometheus::Registry>();
  metrics_ = std::make_unique<conductor::ConductorMetrics>(*registry_);
  journal_ = std::make_unique<journal::MemoryJournal>(disk_);
  conductor_ = std::make_unique<conductor::Conductor>(conductor::Conductor::Dependencies{
      .loop = *loop_,
      .clock = clock_,
      .log = *log_,
      .journal = journal_.get(),
      .metrics = *metrics_,
      .plan_from_source = [](const std::string& source) -> absl::StatusOr<engine::Plan> {
        auto plan = plan::FromSource(source);
        if (!plan.ok()) return plan.status();
        return plan::ToEngine(*plan);
      },
      .follow = [](const std::vector<signals::SignalSpec>&) {},
      .refresh = [](const std::string&) {},
      .controller_name = "one"});
  ASSERT_TRUE(conductor_->Recover().ok());
  // Claimed by the loop's first turn.
  loop_thread_ = std::thread([this] { loop_->Run(); });
  auto network = Listener::OnNetwork("127.0.0.1:0", *material, *loop_, *conductor_);
  ASSERT_TRUE(network.ok()) << network.status();
  network_ = *std::move(network);
  auto local = Listener::OnSocket(socket(), *loop_, *conductor_);
  ASSERT_TRUE(local.ok()) << local.status();
  socket_ = *std::move(local);
}

void ControllerUnderTest::TearDown() {
  loop_->Post([this] { conductor_->EndCalls(); });
  network_.reset();
  socket_.reset();
  // Behind what gRPC's threads have posted last: sessions delete themselves there.
  loop_->Post([this] { loop_->Stop(); });
  if (loop_thread_.joinable()) loop_thread_.join();
  std::filesystem::remove_all(folder_);
}

std::shared_ptr<grpc::Channel> ControllerUnderTest::ChannelAs(tls::Role role,
                                                              const std::string& name,
                                                              Duration ends_in) {
  // The shortest life is a minute.
  const Duration lifetime = std::max(ends_in, Duration(60'000));
  const std::string authority = (folder_ / "pki").string();
  const auto issued = tls::IssueCertificate({.authority_directory = authority,
                                             .directory = authority,
                                             .role = role,
                                             .name = name,
                                             .lifetime = lifetime,
                                             .overwrite = true},
                                            clock_.Now() + ends_in - lifetime);
  if (!issued.ok()) return nullptr;
  const auto material =
      tls::Load({authority + "/ca.crt", issued->certificate_path, issued->key_path}, clock_.Now());
  if (!material.ok()) return nullptr;
  return grpc::CreateChannel(fmt::format("127.0.0.1:{}", port()),
                             tls::ChannelCredentials(*material));
}

void ControllerUnderTest::CreateShop() {
  grpc::ClientContext context;
  v1::CreateGateRequest request;
  request.set_gate("shop");
  request.set_share_ppm(1'000'000);
  request.mutable_mutation()->set_wait_for(v1::RECORDED);
  request.mutable_mutation()->mutable_wait_timeout()->set_seconds(20);
  v1::Outcome outcome;
  const grpc::Status status =
      OperatorAs(tls::Role::kOperator)->CreateGate(&context, request, &outcome);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(outcome.recorded());
}

v1::Gate ControllerUnderTest::GetShop() {
  grpc::ClientContext context;
  v1::GetGateRequest request;
  request.set_gate("shop");
  v1::Gate gate;
  EXPECT_TRUE(OperatorAs(tls::Role::kViewer)->GetGate(&context, request, &gate).ok());
  return gate;
}

v1::AgentMessage HelloFor(const std::string& gate) {
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol(1);
  message.mutable_hello()->set_boot_id("boot-1");
  message.mutable_hello()->set_load_balancer("haproxy 2.6.12");
  v1::Report& report = *message.mutable_hello()->add_gates();
  report.set_gate(gate);
  report.set_stage(v1::IDLE);
  report.set_admit_by("cookie headgate_uid");
  return message;
}

AgentClient::AgentClient(const std::shared_ptr<grpc::Channel>& channel, const std::string& gate)
    : stub_(v1::AgentControl::NewStub(channel)) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  stream_ = stub_->Session(&context_);
  if (!gate.empty()) Say(HelloFor(gate));
}

AgentClient::~AgentClient() { context_.TryCancel(); }

bool AgentClient::HearDirective(v1::Directive& directive) {
  v1::ControllerMessage message;
  while (Hear(message)) {
    if (!message.has_directive()) continue;
    directive = message.directive();
    return true;
  }
  return false;
}

void AgentClient::Report(const v1::Directive& directive, v1::Stage stage) {
  v1::AgentMessage message;
  v1::Report& report = *message.mutable_report();
  report.set_gate(directive.gate());
  *report.mutable_version() = directive.version();
  report.set_digest(directive.digest());
  report.set_stage(stage);
  report.set_enforced_ppm(directive.share_ppm());
  report.set_admit_by("cookie headgate_uid");
  Say(message);
}

}  // namespace headgate::api
