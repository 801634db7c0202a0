#include "common/http/status_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/common/tls/pki.h"

namespace headgate::http {
namespace {

using testing::HasSubstr;

StatusPages Pages() {
  return {.metrics = [] { return std::string("headgate_up 1\n"); },
          .live = [] { return absl::OkStatus(); },
          .ready = [] { return absl::UnavailableError("the journal's disk is full"); }};
}

StatusServerOptions Plaintext(const std::string& address = "127.0.0.1:0") {
  return {.address = address, .plaintext_asked_for = true};
}

std::unique_ptr<StatusServer> MustStart(const StatusServerOptions& options,
                                        StatusPages pages = Pages()) {
  auto server = StatusServer::Start(options, std::move(pages));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

// A client that connects and then says `greeting`, and no more.
class SilentClient {
 public:
  SilentClient(int port, const std::string& greeting) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(send(fd_, greeting.data(), greeting.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(greeting.size()));
  }
  ~SilentClient() { close(fd_); }
  SilentClient(const SilentClient&) = delete;
  SilentClient& operator=(const SilentClient&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Connections are taken in order: once one is answered, those before it are on their threads.
void WaitUntilTaken(const StatusServer& server) {
  const auto answer = httplib::Client("127.0.0.1", server.port()).Get("/livez");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200);
}

TEST(StatusServer, ServesMetricsAndSaysWhyItIsNotReady) {
  const auto server = MustStart(Plaintext());
  httplib::Client client("127.0.0.1", server->port());
  const auto metrics = client.Get("/metrics");
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->status, 200);
  EXPECT_EQ(metrics->body, "headgate_up 1\n");
  EXPECT_THAT(metrics->get_header_value("Content-Type"), HasSubstr("version=0.0.4"));
  EXPECT_EQ(client.Get("/livez")->status, 200);
  const auto ready = client.Get("/readyz");
  EXPECT_EQ(ready->status, 503);
  EXPECT_EQ(ready->body, "the journal's disk is full\n");
  EXPECT_EQ(client.Get("/")->status, 404);
  EXPECT_EQ(client.Post("/metrics", std::string(10'000, 'x'), "text/plain")->status, 413);
}

TEST(StatusServer, RefusesPlaintextThatWasNotAskedForOrIsNotOnLoopback) {
  auto options = Plaintext("0.0.0.0:0");
  const auto outside = StatusServer::Start(options, Pages());
  EXPECT_EQ(outside.status().code(), absl::StatusCode::kFailedPrecondition);
  options = Plaintext();
  options.plaintext_asked_for = false;
  const auto unasked = StatusServer::Start(options, Pages());
  EXPECT_EQ(unasked.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unasked.status().message()), HasSubstr("--insecure-loopback"));
}

TEST(StatusServer, SaysThatAPortIsTakenOrIsNone) {
  const auto server = MustStart(Plaintext());
  const auto second =
      StatusServer::Start(Plaintext("127.0.0.1:" + std::to_string(server->port())), Pages());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("in use"));
  for (const char* address :
       {"", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x"}) {
    EXPECT_EQ(StatusServer::Start(Plaintext(address), Pages()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
}

TEST(StatusServer, ASilentClientDoesNotHoldUpTheEnd) {
  auto server = MustStart(Plaintext());
  std::vector<std::unique_ptr<SilentClient>> clients;
  for (std::size_t i = 0; i + 1 < kThreads; ++i) {
    clients.push_back(std::make_unique<SilentClient>(server->port(), "GET /metr"));
  }
  WaitUntilTaken(*server);
  const auto start = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(StatusServer, AClientThatKeepsDrippingBytesDoesNotHoldUpTheEndAndGetsNoPageAfterwards) {
  std::atomic<int> asked = 0;
  auto server = MustStart(Plaintext(), {.metrics =
                                            [&asked] {
                                              ++asked;
                                              return std::string();
                                            },
                                        .live = [] { return absl::OkStatus(); },
                                        .ready = [] { return absl::OkStatus(); }});
  const SilentClient client(server->port(), "GET /metrics HTTP/1.1\r\n");
  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;
  std::thread dripping([&] {
    std::unique_lock lock(mutex);
    // Each byte comes within the server's patience.
    while (!changed.wait_for(lock, std::chrono::milliseconds(100), [&] { return stop; })) {
      send(client.fd(), "a", 1, MSG_NOSIGNAL);
    }
  });
  WaitUntilTaken(*server);
  const auto start = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  changed.notify_one();
  dripping.join();
  const std::string rest = ": b\r\n\r\n";
  send(client.fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
  char answer[16] = {};
  // What it gets is an error or the end of the connection.
  const ssize_t got = recv(client.fd(), answer, sizeof(answer) - 1, 0);
  EXPECT_TRUE(got <= 0 || std::string(answer).find("503") != std::string::npos) << answer;
  EXPECT_EQ(asked, 0);
}

TEST(StatusServer, IdleClientsDelayTheOthersByTheirPatienceAndNoMore) {
  const auto server = MustStart(Plaintext());
  std::vector<std::unique_ptr<SilentClient>> clients;
  for (std::size_t i = 0; i < kThreads; ++i) {
    clients.push_back(std::make_unique<SilentClient>(server->port(), ""));
  }
  httplib::Client client("127.0.0.1", server->port());
  const auto start = std::chrono::steady_clock::now();
  const auto live = client.Get("/livez");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST(StatusServer, WithTlsLetsInOnlyClientsOfItsAuthority) {
  const tls::Pki pki;
  const tls::Pki theirs;
  StatusServerOptions options{.address = "127.0.0.1:0"};
  options.tls = *tls::Load(pki.Issue(tls::Role::kAgent, "edge-1"), tls::TrueNow());
  const auto server = MustStart(options);

  const auto get = [&server](const tls::Files& files) {
    httplib::SSLClient client("127.0.0.1", server->port(), files.certificate, files.key);
    client.set_ca_cert_path(files.ca);
    // The certificate names no host; its chain is still checked by the server.
    client.enable_server_certificate_verification(false);
    const auto answer = client.Get("/livez");
    return answer ? answer->status : 0;
  };
  EXPECT_EQ(get(pki.Issue(tls::Role::kViewer, "prometheus")), 200);
  EXPECT_EQ(get(theirs.Issue(tls::Role::kViewer, "prometheus")), 0);
  EXPECT_EQ(get({pki.ca(), "", ""}), 0);
  httplib::Client plaintext("127.0.0.1", server->port());
  EXPECT_FALSE(plaintext.Get("/livez"));
}

}  // namespace
}  // namespace headgate::http
