#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/net/event_loop.h"
#include "tests/support/net/http_client.h"
#include "tests/support/net/http_server.h"

namespace headgate::support {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A server and a client on one loop, which gives up after ten seconds.
class HttpExchange : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Listen(0).ok());
    loop_.After(seconds(10), [this] {
      ADD_FAILURE() << "the exchange took over 10 s";
      loop_.Stop();
    });
  }

  EventLoop loop_;
  std::vector<HttpServer::Ticket> held_;
  bool hold_ = false;
  HttpServer server_{
      loop_, [this](HttpServer::Ticket ticket, const Request& request) {
        if (hold_) {
          held_.push_back(ticket);
          return;
        }
        server_.Answer(ticket,
                       {.status = 200, .headers = {}, .body = request.target, .keep_alive = true});
      }};
};

TEST_F(HttpExchange, ManyRequestsGoOverFewConnections) {
  HttpClient client(loop_, server_.port(), {.connections = 2, .timeout = seconds(5)});
  int answered = 0;
  std::function<void(const absl::StatusOr<Response>&)> next =
      [&](const absl::StatusOr<Response>& answer) {
        ASSERT_TRUE(answer.ok()) << answer.status();
        EXPECT_EQ(answer->body, "/page");
        if (++answered == 100) {
          loop_.Stop();
          return;
        }
        if (answered <= 98) {
          EXPECT_TRUE(client.Send({.method = "GET", .target = "/page", .headers = {}}, next));
        }
      };
  ASSERT_TRUE(client.Send({.method = "GET", .target = "/page", .headers = {}}, next));
  ASSERT_TRUE(client.Send({.method = "GET", .target = "/page", .headers = {}}, next));
  loop_.Run();
  EXPECT_EQ(answered, 100);
}

TEST_F(HttpExchange, ARequestBeyondTheConnectionsIsNotTaken) {
  hold_ = true;
  HttpClient client(loop_, server_.port(), {.connections = 1, .timeout = seconds(5)});
  const auto nothing = [](const absl::StatusOr<Response>&) {};
  EXPECT_TRUE(client.Send({.method = "GET", .target = "/", .headers = {}}, nothing));
  EXPECT_FALSE(client.Send({.method = "GET", .target = "/", .headers = {}}, nothing));
}

TEST_F(HttpExchange, ASilentServerIsADeadlineAndAnAbsentOneUnavailable) {
  hold_ = true;
  std::vector<absl::StatusCode> codes;
  const auto note = [&](const absl::StatusOr<Response>& answer) {
    codes.push_back(answer.status().code());
    if (codes.size() == 2) loop_.Stop();
  };
  HttpClient silent(loop_, server_.port(), {.connections = 1, .timeout = milliseconds(50)});
  ASSERT_TRUE(silent.Send({.method = "GET", .target = "/", .headers = {}}, note));
  std::uint16_t free_port = 0;
  {
    HttpServer short_lived(loop_, [](HttpServer::Ticket, const Request&) {});
    ASSERT_TRUE(short_lived.Listen(0).ok());
    free_port = short_lived.port();
  }
  HttpClient absent(loop_, free_port, {.connections = 1, .timeout = seconds(5)});
  ASSERT_TRUE(absent.Send({.method = "GET", .target = "/", .headers = {}}, note));
  loop_.Run();
  EXPECT_EQ(codes,
            (std::vector{absl::StatusCode::kUnavailable, absl::StatusCode::kDeadlineExceeded}));
}

TEST_F(HttpExchange, AStaleConnectionIsReplacedWithoutTheCallerNoticing) {
  std::vector<int> statuses;
  std::unique_ptr<HttpServer> server;
  const auto answering = [&](HttpServer::Ticket ticket, const Request&) {
    server->Answer(ticket, {.status = 200, .headers = {}, .body = "", .keep_alive = true});
  };
  server = std::make_unique<HttpServer>(loop_, answering);
  ASSERT_TRUE(server->Listen(0).ok());
  const std::uint16_t port = server->port();
  HttpClient client(loop_, port, {.connections = 1, .timeout = seconds(5)});
  const Request request{.method = "GET", .target = "/", .headers = {}};
  ASSERT_TRUE(client.Send(request, [&](const absl::StatusOr<Response>& first) {
    ASSERT_TRUE(first.ok()) << first.status();
    statuses.push_back(first->status);
    loop_.After(milliseconds(0), [&] {
      server = nullptr;
      server = std::make_unique<HttpServer>(loop_, answering);
      ASSERT_TRUE(server->Listen(port).ok());
      ASSERT_TRUE(client.Send(request, [&](const absl::StatusOr<Response>& second) {
        EXPECT_TRUE(second.ok()) << second.status();
        statuses.push_back(second.ok() ? second->status : 0);
        loop_.Stop();
      }));
    });
  }));
  loop_.Run();
  EXPECT_EQ(statuses, (std::vector{200, 200}));
}

}  // namespace
}  // namespace headgate::support
