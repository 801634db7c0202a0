#include "controller/signals/http_fetcher.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "tests/controller/signals/fake_server.h"

namespace headgate::signals {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(HttpFetcher, PostsAFormAndKeepsAnswerAndDate) {
  FakeServer server([](const std::string&) {
    return "HTTP/1.1 418 I'm a teapot\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
           "Content-Length: 3\r\n\r\ntea";
  });
  HttpFetcher fetcher;
  const auto answer = fetcher.Post(server.Url() + "/api", "a=b", Duration(2'000));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 418);
  EXPECT_EQ(answer->status_line, "418 I'm a teapot");
  EXPECT_EQ(answer->body, "tea");
  EXPECT_EQ(answer->date, FromUnixMillis(1'700'000'000'000));
  ASSERT_THAT(server.Requests(), SizeIs(1));
  EXPECT_THAT(server.Requests()[0], HasSubstr("POST /api HTTP/1.1"));
  EXPECT_THAT(server.Requests()[0], HasSubstr("\r\n\r\na=b"));
}

TEST(HttpFetcher, FollowsNoRedirectAndTakesNoProxyFromTheEnvironment) {
  FakeServer elsewhere([](const std::string&) { return FakeServer::Ok("{}"); });
  FakeServer server([&](const std::string&) {
    return fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
                       elsewhere.Url());
  });
  setenv("http_proxy", elsewhere.Url().c_str(), 1);
  HttpFetcher fetcher;
  const auto answer = fetcher.Post(server.Url(), "", Duration(2'000));
  unsetenv("http_proxy");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 302);
  EXPECT_THAT(elsewhere.Requests(), IsEmpty());
}

TEST(HttpFetcher, KeepsToItsDeadline) {
  FakeServer server([](const std::string&) { return ""; });
  const SteadyClock clock;
  HttpFetcher fetcher;
  const TimePoint began = clock.Now();
  const auto answer = fetcher.Post(server.Url(), "", Duration(200));
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
  EXPECT_LT(clock.Now() - began, Duration(700));
}

TEST(HttpFetcher, RefusesAnswersThatAreTooLongAndTellsThoseThatWereCutOff) {
  HttpFetcher fetcher;
  FakeServer server(
      [](const std::string&) { return FakeServer::Ok(std::string(kResponseBytesMax + 1, 'x')); });
  const auto too_long = fetcher.Post(server.Url(), "", Duration(5'000));
  EXPECT_TRUE(absl::IsResourceExhausted(too_long.status())) << too_long.status();
  server.SetAnswer(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"; });
  const auto cut = fetcher.Post(server.Url(), "", Duration(5'000));
  EXPECT_THAT(std::string(cut.status().message()), HasSubstr("cut off after 4 bytes"));
}

TEST(HttpFetcher, RefusesOtherProtocolsAndGarbage) {
  HttpFetcher fetcher;
  EXPECT_TRUE(
      absl::IsInvalidArgument(fetcher.Post("file:///etc/passwd", "", Duration(1'000)).status()));
  EXPECT_FALSE(fetcher.Post("http://[", "", Duration(1'000)).ok());
  FakeServer server([](const std::string&) { return "SSH-2.0-OpenSSH_9.2\r\n"; });
  EXPECT_FALSE(fetcher.Post(server.Url(), "", Duration(1'000)).ok());
}

TEST(HttpFetcher, ReturnsSoonWhenInterrupted) {
  FakeServer server([](const std::string&) { return ""; });
  const SteadyClock clock;
  HttpFetcher fetcher;
  const TimePoint began = clock.Now();
  std::thread interrupter([&] { fetcher.Interrupt(); });
  const auto answer = fetcher.Post(server.Url(), "", Duration(10'000));
  interrupter.join();
  EXPECT_TRUE(absl::IsCancelled(answer.status())) << answer.status();
  EXPECT_LT(clock.Now() - began, Duration(1'000));
}

TEST(UrlForPeople, HasNoSecrets) {
  EXPECT_EQ(UrlForPeople("http://me:hunter2@prometheus:9090/p/?token=hunter3"),
            "http://prometheus:9090/p");
  EXPECT_EQ(UrlForPeople("nonsense"), "(not a URL)");
}

}  // namespace
}  // namespace headgate::signals
