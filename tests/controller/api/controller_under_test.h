// A controller on loopback with mTLS, a journal in memory and no signals, and clients of it with
// certificates of every role. For one test at a time.
#pragma once

#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/tls/authority.h"
#include "common/tls/identity.h"
#include "controller/api/server.h"
#include "controller/conductor/conductor.h"
#include "controller/journal/memory_journal.h"
#include "headgate/v1/agent.grpc.pb.h"
#include "headgate/v1/operator.grpc.pb.h"
#include "tests/support/process.h"

namespace headgate::api {

using test::Eventually;

class ControllerUnderTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // With a certificate that ends in `ends_in`.
  std::shared_ptr<grpc::Channel> ChannelAs(tls::Role role, const std::string& name,
                                           Duration ends_in = tls::kLeafLifetimeDefault);
  std::unique_ptr<v1::Headgate::Stub> OperatorAs(tls::Role role) {
    return v1::Headgate::NewStub(ChannelAs(role, "alice"));
  }
  // Of a gate that exists, at 100 %.
  void CreateShop();
  v1::Gate GetShop();
  journal::MemoryJournal& journal() { return *journal_; }
  int port() const { return network_->port(); }
  std::string socket() const { return (folder_ / "run" / "headgated.sock").string(); }

 private:
  std::filesystem::path folder_;
  SteadyClock clock_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Loop> loop_;
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<conductor::ConductorMetrics> metrics_;
  journal::MemoryDisk disk_;
  std::unique_ptr<journal::MemoryJournal> journal_;
  std::unique_ptr<conductor::Conductor> conductor_;
  std::unique_ptr<Listener> network_;
  std::unique_ptr<Listener> socket_;
  std::thread loop_thread_;
};

// An agent that behaves: says hello for `gate` and keeps what it is told.
class AgentClient {
 public:
  AgentClient(const std::shared_ptr<grpc::Channel>& channel, const std::string& gate);
  ~AgentClient();

  void Say(const v1::AgentMessage& message) { stream_->Write(message); }
  // False when the stream has ended.
  bool TrySay(const v1::AgentMessage& message) { return stream_->Write(message); }
  // The next message; false when the stream has ended.
  bool Hear(v1::ControllerMessage& message) { return stream_->Read(&message); }
  // Reads until a directive comes.
  bool HearDirective(v1::Directive& directive);
  void Report(const v1::Directive& directive, v1::Stage stage);
  grpc::Status Finish() { return stream_->Finish(); }

 private:
  std::unique_ptr<v1::AgentControl::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream_;
};

v1::AgentMessage HelloFor(const std::string& gate);

}  // namespace headgate::api
