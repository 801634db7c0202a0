// What nobody gets by who makes it up: a path that nginx takes for a bypassed one, and a cookie
// while the keys are damaged.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "agents/core/cookie.h"
#include "agents/core/files.h"
#include "agents/nginx/nginx.h"
#include "common/base/bucket.h"
#include "tests/agents/signed_cookie_contract.h"
#include "tests/support/test_app.h"
#include "tests/support/test_nginx.h"

namespace headgate::nginx {
namespace {

using test::TestApp;
using test::TestNginx;

Share Half() { return *Share::Parse("50%"); }

TEST(Nginx, OnlyThePathItselfIsBypassedAndNothingThatNginxTakesForIt) {
  const TestApp app;
  const TestNginx real({.app_port = app.port(), .share = Share::None()});
  for (const char* path : {"/healthz", "/healthz?full=1"}) {
    EXPECT_EQ(real.Get(path).status, 200) << path;
  }
  // An application finds other things there than its health.
  for (const char* path : {"/checkout/..%2fhealthz?buy=1", "/a/%2e%2e/healthz", "//healthz",
                           "/%68ealthz", "/healthz%3fa", "/healthz/"}) {
    EXPECT_EQ(real.Get(path).status, 503) << path;
  }
}

// Also to workers that were asked nothing before, or came later.
TEST(Nginx, KeysThatAreDamagedWhileItRunsMakeNoMadeUpCookieAKey) {
  const TestApp app;
  TestNginx real({.app_port = app.port(), .share = Half()});
  Nginx nginx(real.settings());
  test::PutAndSee(nginx, test::kOldKeys);
  std::string cookie;
  for (int i = 0; !IsAdmitted(BucketOf(cookie), Half()); ++i) {
    cookie = agent::SignCookie(test::kOldKeys.keys[0], "user-" + std::to_string(i));
  }
  const std::string keys = agent::CookieKeysFileOf(real.share_file());
  const std::string text = *agent::ReadSmallFile(keys);
  for (const std::string& damaged :
       {std::string(), text.substr(0, text.find('\n') + 1), std::string("garbage\n"),
        text.substr(0, text.find("issue")) + text.substr(text.find("k5"))}) {
    test::WriteFile(keys, damaged);
    real.Reload();
    // Each worker looks again within a quarter of a second.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
    for (int i = 0; std::chrono::steady_clock::now() < until; ++i) {
      ASSERT_EQ(real.StatusFor(test::MadeUpInside(Half(), i)), 503) << damaged;
      ASSERT_EQ(real.StatusFor(cookie), 200) << damaged;
    }
  }
}

}  // namespace
}  // namespace headgate::nginx
