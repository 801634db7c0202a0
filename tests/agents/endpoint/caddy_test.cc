// A real Caddy that asks the agent's own program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/base/bucket.h"
#include "tests/agents/endpoint/asked_site.h"
#include "tests/agents/endpoint/stranger.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Caddy, AdmitsTheUsersOfTheShareAndPassesTheRefusalThrough) {
  const AskedSite site({.asker = AskedSite::Asker::kCaddy});
  const Share half = *Share::Parse("50%");
  site.Override("50%");
  std::string in;
  for (int i = 0; i < 100; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (IsAdmitted(BucketOf(user), half)) in = user;
    ASSERT_EQ(site.StatusFor(user), IsAdmitted(BucketOf(user), half) ? 200 : 503) << site.Log();
  }
  EXPECT_THAT(site.Get("/", {"Cookie: headgate_uid=" + in}).body, HasSubstr("the shop"));
  site.Override("0%");
  const HttpAnswer page = site.Get("/", {"Accept: text/html"});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(page.headers, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(page.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(page.body, HasSubstr("not open to everybody yet"));
  const HttpAnswer problem = site.Get("/api", {"Accept: application/json"});
  EXPECT_THAT(problem.headers, HasSubstr("application/problem+json"));
  EXPECT_EQ(site.Get("/healthz").status, 200);
  for (const char* header : {"X-Forwarded-Uri: /healthz", "X-Original-URL: http://a/healthz"}) {
    EXPECT_EQ(site.Get("/", {header}).status, 503) << header;
  }
}

TEST(Caddy, GivesACookieToWhoIsAdmittedOnNavigationsOnly) {
  const AskedSite site({.asker = AskedSite::Asker::kCaddy});
  const HttpAnswer given = site.Get("/", {"Accept: text/html"});
  EXPECT_EQ(given.status, 200);
  EXPECT_THAT(given.body, HasSubstr("the shop"));
  EXPECT_THAT(given.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(site.Get("/", {"Sec-Fetch-Mode: cors"}).headers, Not(HasSubstr("Set-Cookie")));
}

Share Percent(const char* text) { return *Share::Parse(text); }

std::string UserOf(const char* share, bool inside) {
  for (int i = 0;; ++i) {
    const std::string user = "user-" + std::to_string(i);
    if (IsAdmitted(BucketOf(user), Percent(share)) == inside) return user;
  }
}

void ExpectTheUsersOfHalf(const AskedSite& site) {
  EXPECT_EQ(site.StatusFor(UserOf("50%", true)), 200) << site.Log();
  EXPECT_EQ(site.StatusFor(UserOf("50%", false)), 503);
  EXPECT_EQ(site.Get("/healthz").status, 200);
}

// Of a load balancer's own words, for want of an agent's: not the page.
void ExpectNobodyIsIn(const AskedSite& site, int status) {
  const std::uint64_t before = site.app.requests();
  EXPECT_EQ(site.StatusFor(UserOf("50%", true)), status);
  EXPECT_EQ(site.Get("/", {"Accept: text/html"}).status, status);
  EXPECT_EQ(site.Get("/healthz").status, status) << "bypassed ones neither";
  EXPECT_EQ(site.app.requests(), before);
}

TEST(Caddy, WithoutAnAgentNobodyComesIn) {
  AskedSite site({.asker = AskedSite::Asker::kCaddy, .share = Percent("50%")});
  ExpectTheUsersOfHalf(site);
  site.KillAgent();
  ExpectNobodyIsIn(site, 502);
  site.StartAgent();
  ExpectTheUsersOfHalf(site);
}

TEST(Caddy, AnAgentThatHangsIsAsNoneAfterASecond) {
  AskedSite site({.asker = AskedSite::Asker::kCaddy, .share = Percent("50%")});
  ExpectTheUsersOfHalf(site);
  site.agent->Signal(SIGSTOP);
  ExpectNobodyIsIn(site, 504);
  site.agent->Signal(SIGCONT);
  ExpectTheUsersOfHalf(site);
}

TEST(Caddy, SomethingElseInTheAgentsPlaceAdmitsNobodyUnlessItSays2xx) {
  AskedSite site({.asker = AskedSite::Asker::kCaddy, .share = Percent("50%")});
  site.KillAgent();
  for (const char* words : {"garbage\r\n", "", "HTTP/1.1 none\r\n\r\n"}) {
    const Stranger stranger(site.socket(), words);
    ExpectNobodyIsIn(site, 502);
    EXPECT_GT(stranger.asked(), 0);
  }
  const Stranger believed(site.socket(), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(site.StatusFor(UserOf("50%", false)), 200);
}

TEST(Caddy, ALoweringWithADeadAgentIsInForceAsSoonAsItIsBack) {
  AskedSite site({.asker = AskedSite::Asker::kCaddy, .share = Percent("50%")});
  const std::string beyond = UserOf("50%", true);
  ASSERT_FALSE(IsAdmitted(BucketOf(beyond), Percent("1%")));
  ASSERT_EQ(site.StatusFor(beyond), 200);
  site.KillAgent();
  EXPECT_EQ(site.Run({"lower", "1%"}).exit_code, 11) << "nobody confirms it";
  EXPECT_EQ(site.StatusFor(beyond), 502);
  site.StartAgent();
  EXPECT_EQ(site.StatusFor(beyond), 503);
  EXPECT_EQ(site.StatusFor(UserOf("1%", true)), 200);
}

TEST(Caddy, ARestartOfItsOwnChangesNothingBecauseItKeepsNothing) {
  AskedSite site({.asker = AskedSite::Asker::kCaddy, .share = Percent("50%")});
  site.KillAndStartCaddy();
  ExpectTheUsersOfHalf(site);
  site.KillAgent();
  site.KillAndStartCaddy();
  ExpectNobodyIsIn(site, 502);
}

}  // namespace
}  // namespace headgate::test
