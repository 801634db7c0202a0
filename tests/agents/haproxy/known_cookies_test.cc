// Cookies that HAProxy has verified lately, after a rotation of their keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "agents/core/cookie.h"
#include "agents/haproxy/names.h"
#include "common/base/bucket.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::haproxy {
namespace {

using test::Eventually;
using testing::HasSubstr;
using testing::Not;

const Share kHalf = *Share::Parse("50%");
const CookieKey kFive{5, std::string(32, 'a')};
const CookieKey kSix{6, std::string(32, 'b')};

struct KnownCookies : testing::Test {
  KnownCookies() {
    EXPECT_TRUE(haproxy.PutCookieKeys({.issuing = 5, .keys = {kFive, kSix}}).ok());
    for (int i = 0; cookie.empty() || !IsAdmitted(BucketOf(cookie), kHalf); ++i) {
      cookie = agent::SignCookie(kFive, "user-" + std::to_string(i));
    }
  }
  std::string Known() const { return real.Ask("show table " + KnownTableOf("shop")); }

  test::TestApp app;
  const test::TestHaproxy real{{.app_port = app.port(), .share = kHalf}};
  Haproxy haproxy{real.settings()};
  // Signed by key 5, and inside of the share.
  std::string cookie;
};

TEST_F(KnownCookies, ARetiredKeyAdmitsNobodyWhomHaproxyStillKnows) {
  ASSERT_EQ(real.StatusFor(cookie), 200);
  ASSERT_TRUE(Eventually([&] { return Known().find(cookie) != std::string::npos; }));
  // As if the agent had died before it cleared the table.
  real.Ask("del map " + agent::CookieKeysFileOf(real.map()) + " k5");
  EXPECT_EQ(real.StatusFor(cookie), 503);
  EXPECT_THAT(Known(), HasSubstr(cookie));
}

TEST_F(KnownCookies, AnAnswerThatOutlivesItsKeyMakesNoCookieKnown) {
  app.DelayBy(60'000);
  std::thread user([&] { EXPECT_EQ(real.StatusFor(cookie), 200); });
  EXPECT_TRUE(Eventually([&] { return app.requests() == 1; }));
  // The same number, and another secret.
  const CookieKey other{5, std::string(32, 'z')};
  EXPECT_TRUE(haproxy.PutCookieKeys({.issuing = 5, .keys = {other, kSix}}).ok());
  app.DelayBy(0);
  user.join();
  EXPECT_THAT(Known(), Not(HasSubstr(cookie)));
  EXPECT_EQ(real.StatusFor(cookie), 503);
}

}  // namespace
}  // namespace headgate::haproxy
