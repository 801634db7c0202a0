#include "agents/haproxy/snippet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "common/base/bucket.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::haproxy {
namespace {

using test::HttpAnswer;
using test::TestApp;
using test::TestHaproxy;
using testing::HasSubstr;
using testing::Not;

const Share kHalf = *Share::Parse("50%");
constexpr char kHtml[] = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";

// The value of a header, by its lower-case name as HAProxy sends it; empty if it is missing.
std::string Header(const HttpAnswer& answer, const std::string& name) {
  const std::size_t at = answer.headers.find("\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t from = at + name.size() + 3;
  return answer.headers.substr(from, answer.headers.find('\r', from) - from);
}

TEST(Snippet, PassesHaproxysOwnCheckWithEveryKindOfKeyAndOption) {
  const TestApp app;
  for (const char* key : {"cookie headgate_uid", "header X-User-Id", "client_address"}) {
    const TestHaproxy haproxy({.app_port = app.port(),
                               .key = key,
                               .slow_ms = {100, 500, 1000},
                               .bypass = {"path=/healthz", "cidr=203.0.113.0/24"}});
    const test::Finished check = test::RunToEnd({"haproxy", "-c", "-f", haproxy.config()});
    EXPECT_EQ(check.exit_code, 0) << key << check.output;
    EXPECT_THAT(check.output, Not(HasSubstr("WARNING"))) << key;
  }
}

TEST(Snippet, ChangesNothingForUsersButTheCookieWhileTheGateIsOpen) {
  const TestApp app;
  const TestHaproxy haproxy({.app_port = app.port()});
  const HttpAnswer page = haproxy.Get("/", {kHtml});
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "the shop\n");
  EXPECT_THAT(Header(page, "set-cookie"),
              testing::MatchesRegex("headgate_uid=[0-9a-f-]+; Path=/; Max-Age=31536000; "
                                    "SameSite=Lax; HttpOnly"));
  EXPECT_EQ(Header(page, "cache-control"), "private");
  const HttpAnswer asset = haproxy.Get("/logo.png", {"Accept: image/png"});
  EXPECT_EQ(asset.status, 200);
  EXPECT_EQ(Header(asset, "set-cookie"), "");
  const HttpAnswer again = haproxy.Get("/", {kHtml, "Cookie: headgate_uid=abc"});
  EXPECT_EQ(Header(again, "set-cookie"), "");
}

TEST(Snippet, RefusesAVisitorWithoutACookieOnceAndGivesThemOne) {
  const TestApp app;
  const TestHaproxy haproxy({.app_port = app.port(), .share = *Share::Parse("50%")});
  int admitted = 0;
  for (int i = 0; i < 60; ++i) {
    const HttpAnswer first = haproxy.Get("/", {kHtml});
    ASSERT_EQ(first.status, 503);
    const std::string cookie = Header(first, "set-cookie");
    const std::string key = cookie.substr(0, cookie.find(';'));
    const HttpAnswer second = haproxy.Get("/", {kHtml, "Cookie: " + key});
    const bool inside = IsAdmitted(BucketOf(key.substr(key.find('=') + 1)), *Share::Parse("50%"));
    EXPECT_EQ(second.status, inside ? 200 : 503) << key;
    admitted += inside ? 1 : 0;
  }
  EXPECT_GT(admitted, 10);
  EXPECT_LT(admitted, 50);
}

TEST(Snippet, AnEmptyCookieIsNoCookie) {
  const TestApp app;
  const TestHaproxy haproxy({.app_port = app.port(), .share = *Share::Parse("99.9%")});
  const HttpAnswer answer = haproxy.Get("/", {kHtml, "Cookie: headgate_uid="});
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(Header(answer, "set-cookie"), "");
}

TEST(Snippet, ALoneQuoteInAnothersCookieHidesNobodysKey) {
  const TestApp app;
  const TestHaproxy real({.app_port = app.port(), .share = kHalf});
  std::string in;
  std::string out;
  for (int i = 0; in.empty() || out.empty(); ++i) {
    const std::string user = "user-" + std::to_string(i);
    (IsAdmitted(BucketOf(user), kHalf) ? in : out) = user;
  }
  for (const std::string before :
       {"size=27\"; ", "size=27\";", "a=1; b=\"\\\"; c=2; ", "s=\"; xheadgate_uid=x; "}) {
    for (const std::string behind : {"", "; b=1", "; b=\""}) {
      const std::string with = "Cookie: " + before + "headgate_uid=";
      EXPECT_EQ(real.Get("/", {with + in + behind}).status, 200) << before << behind;
      EXPECT_EQ(real.Get("/", {with + out + behind}).status, 503) << before << behind;
    }
    EXPECT_EQ(real.Get("/", {"Cookie: " + before + "xheadgate_uid=" + in}).status, 503);
  }
}

TEST(Snippet, TheWaitingPageSaysWhenToComeBackSpreadAndUncached) {
  const TestApp app;
  const TestHaproxy haproxy({.app_port = app.port(), .share = Share::None()});
  std::set<int> seconds;
  for (int i = 0; i < 40; ++i) {
    const HttpAnswer page = haproxy.Get("/", {kHtml, "Cookie: headgate_uid=abc"});
    ASSERT_EQ(page.status, 503);
    EXPECT_EQ(Header(page, "cache-control"), "no-store");
    EXPECT_THAT(page.body, HasSubstr("http-equiv=\"refresh\" content=\"" +
                                     Header(page, "retry-after") + "\""));
    EXPECT_THAT(page.body, Not(HasSubstr("src=")));
    EXPECT_THAT(page.body, Not(HasSubstr("var(")));
    seconds.insert(std::atoi(Header(page, "retry-after").c_str()));
  }
  EXPECT_GE(*seconds.begin(), 10);
  EXPECT_LE(*seconds.rbegin(), 15);
  EXPECT_GE(seconds.size(), 3U);
}

TEST(Snippet, ProgramsThatAskForJsonGetAProblemDocument) {
  const TestApp app;
  const TestHaproxy haproxy({.app_port = app.port(), .share = Share::None()});
  const HttpAnswer answer = haproxy.Get("/api", {"Accept: application/json"});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Header(answer, "content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, HasSubstr("\"retry_after_s\":" + Header(answer, "retry-after") + "}"));
}

TEST(Snippet, BypassRulesLetThroughWhateverTheShareIs) {
  const TestApp app;
  const TestHaproxy haproxy({.app_port = app.port(), .share = Share::None()});
  EXPECT_EQ(haproxy.Get("/healthz").status, 200);
  EXPECT_EQ(haproxy.Get("/healthz/x").status, 503);
  EXPECT_EQ(haproxy.Get("/").status, 503);
}

TEST(Snippet, AMapWithoutAnEntryKeepsTheGateClosed) {
  const TestApp app;
  TestHaproxy haproxy({.app_port = app.port()});
  haproxy.Stop();
  test::WriteFile(haproxy.map(), "retry_after 10\n");
  haproxy.Start();
  EXPECT_EQ(haproxy.StatusFor("abc"), 503);
}

// Each % stands twice in the file, and HAProxy reads no more than one buffer.
TEST(Snippet, APageWithManyPercentSignsIsRefusedBeforeHaproxyWouldNotStartWithIt) {
  const test::TempFolder folder;
  const TestApp app;
  const auto page_of = [&](std::size_t signs) {
    test::WriteFile(folder / "en.html", std::string(signs, '%'));
    return *agent::WaitPages::Load({folder / "en.html"}, "en");
  };
  constexpr std::size_t kMost = 8'192;
  const TestHaproxy haproxy(
      {.app_port = app.port(), .share = Share::None(), .pages = page_of(kMost)});
  EXPECT_EQ(haproxy.Get("/", {kHtml}).body, std::string(kMost, '%'));
  const agent::WaitPages too_long = page_of(kMost + 1);
  const SnippetOptions options{.gate = "shop",
                               .app_backend = "app",
                               .key = {},
                               .slow_ms = {500},
                               .map = "/var/lib/headgate/shop.map",
                               .socket = "/run/haproxy/admin.sock",
                               .bypass = {},
                               .pages = too_long};
  EXPECT_THAT(std::string(Snippet(options).status().message()),
              HasSubstr("shop.map.page.en.nothing: 16386 bytes"));
}

TEST(Snippet, RefusesWhatHaproxyWouldReadOtherwise) {
  SnippetOptions good{.gate = "shop",
                      .app_backend = "app",
                      .key = {},
                      .slow_ms = {500},
                      .map = "/var/lib/headgate/shop.map",
                      .socket = "/run/haproxy/admin.sock",
                      .bypass = {}};
  ASSERT_TRUE(Snippet(good).ok());
  const auto message = [](const SnippetOptions& options) {
    return std::string(Snippet(options).status().message());
  };
  SnippetOptions bad = good;
  bad.gate = "Shop!";
  EXPECT_THAT(message(bad), HasSubstr("[a-z0-9-]"));
  bad = good;
  bad.map = "/var/lib/a b";
  EXPECT_THAT(message(bad), HasSubstr("--map"));
  bad.map = "shop.map";
  EXPECT_THAT(message(bad), HasSubstr("--map 'shop.map': write the whole path"));
  bad = good;
  bad.bypass = {"cidr=203.0.113.0/33"};
  EXPECT_THAT(message(bad), HasSubstr("--bypass"));
  for (const char* everybody : {"cidr=0.0.0.0/0", "cidr=::/0", "cidr=10.0.0.0/00"}) {
    bad.bypass = {everybody};
    EXPECT_THAT(message(bad), HasSubstr("/0 would let everybody through")) << everybody;
  }
  bad.bypass = {"path=/x } http-request"};
  EXPECT_THAT(message(bad), HasSubstr("--bypass"));
  bad = good;
  bad.slow_ms = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_THAT(message(bad), HasSubstr("at most 6"));
}

}  // namespace
}  // namespace headgate::haproxy
