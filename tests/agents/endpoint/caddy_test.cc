// A real Caddy that asks the agent's own program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bucket.h"
#include "tests/agents/endpoint/asked_site.h"

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

TEST(Caddy, WithoutAnAgentNobodyComesIn) {
  AskedSite site({.asker = AskedSite::Asker::kCaddy});
  ASSERT_EQ(site.StatusFor("a"), 200);
  site.KillAgent();
  EXPECT_GE(site.StatusFor("a"), 500);
  EXPECT_EQ(site.app.requests(), 2U);
  site.StartAgent();
  EXPECT_EQ(site.StatusFor("a"), 200);
}

}  // namespace
}  // namespace headgate::test
