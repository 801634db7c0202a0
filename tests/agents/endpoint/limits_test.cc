// Each limit of the endpoint: its answer and its count, and that others are served on.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/endpoint/endpoint.h"
#include "agents/endpoint/outside.h"
#include "tests/agents/endpoint/test_endpoint.h"

namespace headgate::endpoint {
namespace {

using test::Eventually;
using test::HeadUrl;
using test::HttpAnswer;
using test::TestEndpoint;
using testing::HasSubstr;
using testing::StartsWith;

// A plain connection, closed with this object.
class Line {
 public:
  explicit Line(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Line() { close(fd_); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void Send(const std::string& text) const {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // What comes next; empty: the other end has closed.
  std::string Receive() const {
    char bytes[4096];
    const ssize_t size = recv(fd_, bytes, sizeof bytes, 0);
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : "";
  }
  std::string ReceiveAll() const {
    std::string all;
    for (std::string piece; !(piece = Receive()).empty();) all += piece;
    return all;
  }

 private:
  const int fd_;
};

constexpr char kRequest[] = "GET /authz/nginx HTTP/1.1\r\nHost: shop\r\n\r\n";

TEST(Limits, AConnectionIsKeptAndTakesManyRequestsAlsoAtOnce) {
  const TestEndpoint place({});
  Endpoint endpoint(place.settings(), std::nullopt, nullptr);
  const Line line(place.port());
  for (int i = 0; i < 3; ++i) {
    line.Send(kRequest);
    EXPECT_THAT(line.Receive(), StartsWith("HTTP/1.1 204"));
  }
  line.Send(fmt::format("{0}{0}", kRequest));
  std::string two;
  while (two.find("204", two.find("204") + 1) == std::string::npos) {
    const std::string piece = line.Receive();
    ASSERT_FALSE(piece.empty()) << two;
    two += piece;
  }
  line.Send("GET /authz/nginx HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(line.ReceiveAll(), HasSubstr("Connection: close"));
}

TEST(Limits, OneConnectionTooManyIsToldAndClosedAndTheOthersStay) {
  const TestEndpoint place({.limits = {.connections_max = 2}});
  Endpoint endpoint(place.settings(), std::nullopt, nullptr);
  const Line first(place.port());
  auto second = std::make_unique<Line>(place.port());
  first.Send(kRequest);
  EXPECT_THAT(first.Receive(), StartsWith("HTTP/1.1 204"));
  second->Send(kRequest);
  EXPECT_THAT(second->Receive(), StartsWith("HTTP/1.1 204"));
  {
    const Line third(place.port());
    third.Send(kRequest);
    EXPECT_THAT(third.ReceiveAll(), StartsWith("HTTP/1.1 503"));
  }
  EXPECT_EQ(endpoint.counts().connections_refused, 1U);
  // Neither the agent nor `check` gets through to it, and both say why.
  EXPECT_THAT(std::string(endpoint.Try(Share::All()).message()),
              HasSubstr("all 2 connections that the endpoint"));
  EXPECT_THAT(Outside(place.settings()).Read().trouble, HasSubstr("as many connections as it"));
  first.Send(kRequest);
  EXPECT_THAT(first.Receive(), StartsWith("HTTP/1.1 204"));
  second.reset();
  EXPECT_TRUE(Eventually([&] {
    const Line next(place.port());
    next.Send(kRequest);
    return next.Receive().starts_with("HTTP/1.1 204");
  }));
}

TEST(Limits, ToHeadTheLengthIsThatOfTheBodyThatGetHas) {
  const TestEndpoint place({.share = Share::None()});
  Endpoint endpoint(place.settings(), std::nullopt, nullptr);
  const HttpAnswer page = place.Get("/authz", {"Cookie: headgate_uid=a"});
  const HttpAnswer head =
      HeadUrl(fmt::format("http://127.0.0.1:{}/authz", place.port()), {"Cookie: headgate_uid=a"});
  EXPECT_EQ(head.status, 503);
  EXPECT_EQ(head.body, "");
  EXPECT_GT(page.body.size(), 1'000U);
  // Retry-After is drawn anew each time.
  EXPECT_THAT(head.headers, HasSubstr(fmt::format("Content-Length: {}\r\n", page.body.size())));
}

TEST(Limits, HeadersThatAreTooLongAndBodiesAndWhatIsNoHttpAreRefused) {
  const TestEndpoint place({});
  Endpoint endpoint(place.settings(), std::nullopt, nullptr);
  const std::pair<std::string, const char*> requests[] = {
      {"GET /authz HTTP/1.1\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n", "HTTP/1.1 431"},
      {"POST /authz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 413"},
      {"hello\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", "HTTP/1.1 400"}};
  for (const auto& [request, status] : requests) {
    const Line line(place.port());
    line.Send(request);
    EXPECT_THAT(line.ReceiveAll(), StartsWith(status)) << request.substr(0, 60);
  }
  EXPECT_EQ(endpoint.counts().requests_refused, std::size(requests));
  // Cookies of 8 KiB are within what browsers send.
  EXPECT_EQ(place.Get("/authz", {"Cookie: a=" + std::string(8'192, 'a')}).status, 200);
}

TEST(Limits, AConnectionOnWhichNothingOrOnlyHalfARequestComesIsClosed) {
  const TestEndpoint place({.limits = {.idle_max = Duration(100)}});
  Endpoint endpoint(place.settings(), std::nullopt, nullptr);
  const Line idle(place.port());
  const Line half(place.port());
  half.Send("GET /authz HTTP/1.1\r\nHost:");
  EXPECT_EQ(idle.ReceiveAll(), "");
  EXPECT_EQ(half.ReceiveAll(), "");
  EXPECT_TRUE(Eventually([&] { return endpoint.counts().idle_closed == 2; }));
  EXPECT_TRUE(Eventually([&] { return endpoint.counts().connections == 0; }));
}

}  // namespace
}  // namespace headgate::endpoint
