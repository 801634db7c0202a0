#include "common/health/health_listener.h"

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace headgate {
namespace {

using testing::HasSubstr;

struct Answer {
  grpc::Status status;
  // HealthCheckResponse as it stands on the wire.
  std::string bytes;
};

// HealthCheckResponse.status = 1 (SERVING), 2 (NOT_SERVING).
const std::string kServing("\x08\x01", 2);
const std::string kNotServing("\x08\x02", 2);

Answer Ask(int port, const std::string& method, const std::string& question) {
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const grpc::Slice slice(question);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  Answer answer;
  grpc::ByteBuffer response;
  call->Finish(&response, &answer.status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (answer.status.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) {
      answer.bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  return answer;
}

Answer Check(int port, const std::string& service) {
  // HealthCheckRequest.service = 1.
  std::string question;
  if (!service.empty()) question = "\x0a" + std::string(1, char(service.size())) + service;
  return Ask(port, "/grpc.health.v1.Health/Check", question);
}

TEST(HealthListener, LivesAndIsNotReadyUntilItIsTold) {
  const auto listener = HealthListener::Start("127.0.0.1:0", [] {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const int port = (*listener)->port();
  EXPECT_EQ(Check(port, "").bytes, kServing);
  EXPECT_EQ(Check(port, "live").bytes, kServing);
  EXPECT_EQ(Check(port, "ready").bytes, kNotServing);
  (*listener)->Show(true, true);
  EXPECT_EQ(Check(port, "ready").bytes, kServing);
  (*listener)->Show(false, false);
  EXPECT_EQ(Check(port, "").bytes, kNotServing);
  EXPECT_EQ(Check(port, "live").bytes, kNotServing);
}

TEST(HealthListener, AnswersNothingElse) {
  const auto listener = HealthListener::Start("127.0.0.1:0", [] {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const int port = (*listener)->port();
  EXPECT_EQ(Check(port, "headgate.v1.Operator").status.error_code(), grpc::StatusCode::NOT_FOUND);
  for (const char* method : {"/headgate.v1.Operator/Close", "/headgate.v1.AgentControl/Session",
                             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_EQ(Ask(port, method, "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
  }
}

TEST(HealthListener, RefusesALongQuestion) {
  const auto listener = HealthListener::Start("127.0.0.1:0", [] {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const std::string question(kHealthQuestionBytesMax + 1, 'x');
  EXPECT_EQ(Ask((*listener)->port(), "/grpc.health.v1.Health/Check", question).status.error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST(HealthListener, SaysThatAPortIsTaken) {
  const auto listener = HealthListener::Start("127.0.0.1:0", [] {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const auto second =
      HealthListener::Start("127.0.0.1:" + std::to_string((*listener)->port()), [] {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another address"));
}

TEST(HealthListener, ListensOnIpv6) {
  const auto listener = HealthListener::Start("[::]:0", [] {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  // As every other listener of ours, on IPv4 too.
  EXPECT_EQ(Check((*listener)->port(), "live").bytes, kServing);
}

// A connection that says nothing.
class Sitter {
 public:
  explicit Sitter(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Sitter() { close(fd_); }
  Sitter(const Sitter&) = delete;
  Sitter& operator=(const Sitter&) = delete;

  // It is ended within `patience_ms`.
  bool IsEnded(int patience_ms) const {
    pollfd asked{fd_, POLLRDHUP, 0};
    return poll(&asked, 1, patience_ms) == 1;
  }

 private:
  const int fd_;
};

std::ptrdiff_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST(HealthListener, EndsTheOldestOfTooManyConnectionsAndAnswersAllTheSame) {
  std::atomic<int> ended{0};
  const auto listener = HealthListener::Start("127.0.0.1:0", [&] { ++ended; });
  ASSERT_TRUE(listener.ok()) << listener.status();
  const int port = (*listener)->port();
  const std::ptrdiff_t before = OpenDescriptors();
  constexpr int kFlood = 5 * kHealthConnectionsMax;
  std::vector<std::unique_ptr<Sitter>> sitters;
  for (int i = 0; i < kFlood; ++i) sitters.push_back(std::make_unique<Sitter>(port));
  EXPECT_EQ(Check(port, "live").bytes, kServing);
  EXPECT_GE(ended, kFlood - kHealthConnectionsMax);
  for (std::size_t i = 0; i < kFlood - kHealthConnectionsMax; ++i) {
    EXPECT_TRUE(sitters[i]->IsEnded(5'000)) << i;
  }
  EXPECT_FALSE(sitters.back()->IsEnded(0));
  // Two of the listener's for each that it keeps, one of each sitter's, and few that are on their
  // way out.
  const std::ptrdiff_t most = before + kFlood + 2 * kHealthConnectionsMax + 16;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (OpenDescriptors() > most && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_LE(OpenDescriptors(), most);
}

TEST(HealthListener, EndsAConnectionThatSaysNothing) {
  const auto listener = HealthListener::Start("127.0.0.1:0", [] {});
  ASSERT_TRUE(listener.ok()) << listener.status();
  const Sitter sitter((*listener)->port());
  EXPECT_TRUE(sitter.IsEnded(kHealthHandshakeMaxMs + 5'000));
}

}  // namespace
}  // namespace headgate
