// The gate's Lua in a real nginx: what is enforced, counted and proven, and what stays so when
// something fails.
#include "agents/nginx/nginx.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <thread>

#include "agents/core/counter_sums.h"
#include "agents/core/files.h"
#include "agents/core/http_call.h"
#include "agents/nginx/check.h"
#include "common/base/bucket.h"
#include "tests/agents/enforcer_contract.h"
#include "tests/agents/new_cookies_contract.h"
#include "tests/agents/signed_cookie_contract.h"
#include "tests/agents/waiting_contract.h"
#include "tests/support/stepped_clock.h"
#include "tests/support/test_app.h"
#include "tests/support/test_nginx.h"

namespace headgate::nginx {
namespace {

using agent::ApplyOutcome;
using agent::Direction;
using agent::Reading;
using test::Eventually;
using test::HttpAnswer;
using test::TestApp;
using test::TestNginx;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Share Percent(const char* text) { return *Share::Parse(text); }

void Put(Nginx& nginx, const char* share, Direction direction) {
  const ApplyOutcome outcome = nginx.Put({Percent(share), 7, direction});
  ASSERT_TRUE(outcome.in_memory.ok()) << outcome.in_memory;
  ASSERT_TRUE(outcome.at_next_start.ok()) << outcome.at_next_start;
}

struct Kind {
  using Real = test::TestNginx;
  using Enforcer = Nginx;
};

TEST(Nginx, TellsItsVersion) {
  const TestApp app;
  const TestNginx real({.app_port = app.port()});
  Nginx nginx(real.settings());
  nginx.Read();
  EXPECT_THAT(nginx.Describe().load_balancer, HasSubstr("nginx 1."));
}

TEST(Nginx, CountsAdmittedBadSlowBypassedAndRefusedApart) {
  TestApp app;
  const TestNginx real(
      {.app_port = app.port(), .slow_ms = {500, 5000}, .bypass = {"path=/webhook"}});
  Nginx nginx(real.settings());
  const SteadyClock clock;
  agent::CounterSummer summer;
  const auto look = [&] {
    nginx.Read();
    const auto raw = nginx.ReadCounters();
    if (raw.ok()) summer.Add(*raw, clock.Now());
    return summer.sums();
  };
  look();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  app.AnswerWith(500);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(real.StatusFor("a"), 500);
  EXPECT_EQ(real.Get("/webhook").status, 500);
  app.AnswerWith(200);
  app.DelayBy(600);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  EXPECT_EQ(real.Get("/webhook").status, 200);
  app.DelayBy(0);
  Put(nginx, "0%", Direction::kDown);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(real.StatusFor("a"), 503);
  EXPECT_EQ(real.Get("/webhook").status, 200);
  ASSERT_TRUE(Eventually([&] { return look().bypassed == 3 && look().refused == 4; }));
  const agent::CounterSums& sums = summer.sums();
  EXPECT_EQ(sums.admitted, 10U);
  EXPECT_EQ(sums.http_5xx, 3U);
  EXPECT_EQ(sums.slow.at(500), 2U);
  EXPECT_EQ(sums.slow.at(5000), 0U);
  EXPECT_EQ(nginx.ReadCounters()->in_flight, 0U);
}

TEST(Nginx, AnAnswerOverAStepOfTheClockIsNotASlowOne) {
  TestApp app;
  test::SteppedClock clock;
  const TestNginx real(
      {.app_port = app.port(), .slow_ms = {60'000}, .environment = clock.environment()});
  Nginx nginx(real.settings());
  app.DelayBy(60'000);
  std::thread user([&] { real.StatusFor("a"); });
  EXPECT_TRUE(Eventually([&] { return app.requests() == 1; }));
  clock.Set(std::chrono::hours(24));
  app.Stop();
  user.join();
  EXPECT_TRUE(Eventually([&] {
    nginx.Read();
    const auto counters = nginx.ReadCounters();
    return counters.ok() && counters->answered == 1;
  }));
  EXPECT_EQ(nginx.ReadCounters()->slow.at(60'000), 0U);
}

TEST(Nginx, ARefusedPersonGetsAPageAndAProgramAProblemAndBothATime) {
  const TestApp app;
  const TestNginx real({.app_port = app.port(), .share = Share::None()});
  const HttpAnswer page = real.Get("/", {"Accept: text/html"});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(page.headers, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(page.headers, HasSubstr("Set-Cookie: headgate_uid="));
  EXPECT_THAT(page.body, HasSubstr("not open to everybody yet"));
  EXPECT_THAT(page.body, Not(HasSubstr("{{")));
  const HttpAnswer problem = real.Get("/api", {"Accept: application/json"});
  EXPECT_EQ(problem.status, 503);
  EXPECT_THAT(problem.headers, HasSubstr("application/problem+json"));
  EXPECT_THAT(problem.headers, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(problem.body, HasSubstr("\"retry_after_s\":1"));
}

TEST(Nginx, GivesEachPersonACookieOfTheirOwnOnNavigationsOnly) {
  const TestApp app;
  const TestNginx real({.app_port = app.port()});
  std::set<std::string> given;
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = real.Get("/", {"Sec-Fetch-Mode: navigate"});
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.headers, HasSubstr("Cache-Control: private"));
    const std::size_t at = answer.headers.find("headgate_uid=");
    ASSERT_NE(at, std::string::npos);
    given.insert(answer.headers.substr(at, 49));
  }
  EXPECT_EQ(given.size(), 20U);
  EXPECT_THAT(real.Get("/a.png", {"Sec-Fetch-Mode: no-cors"}).headers,
              Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(real.Get("/", {"Cookie: headgate_uid=a", "Sec-Fetch-Mode: navigate"}).headers,
              Not(HasSubstr("headgate_uid")));
}

TEST(Nginx, TakesTheSameOfSeveralCookiesAsHaproxy) {
  const TestApp app;
  const TestNginx real({.app_port = app.port(), .share = Percent("50%")});
  const test::TestHaproxy haproxy({.app_port = app.port(), .share = Percent("50%")});
  std::string in;
  std::string out;
  for (int i = 0; in.empty() || out.empty(); ++i) {
    const std::string user = "user-" + std::to_string(i);
    (IsAdmitted(BucketOf(user), Percent("50%")) ? in : out) = user;
  }
  for (const std::string& cookies :
       {"headgate_uid=" + in + "; headgate_uid=" + out,
        "headgate_uid=" + out + "; headgate_uid=" + in,
        "a=1;headgate_uid=" + out + ";b=headgate_uid=" + in,
        "xheadgate_uid=" + in + "; headgate_uid=" + out + "; yheadgate_uid=" + in}) {
    EXPECT_EQ(real.Get("/", {"Cookie: " + cookies}).status,
              haproxy.Get("/", {"Cookie: " + cookies}).status)
        << cookies;
  }
}

TEST(Nginx, AnInternalRedirectIsDecidedOnceAndOnlyAsTheRequestThatCame) {
  const TestApp app;
  const TestNginx real({.app_port = app.port(),
                        .bypass = {"path=/webhook"},
                        .share = Share::None(),
                        .more_server = "location = /webhook { try_files /nothing /inside; }\n"
                                       "rewrite ^/disguised$ /webhook last;"});
  EXPECT_EQ(real.Get("/webhook").status, 200);
  EXPECT_EQ(real.Get("/inside").status, 503);
  EXPECT_EQ(real.Get("/disguised").status, 503);
}

TEST(Nginx, AReloadKeepsTheShareOfTheMemoryAndTheCounters) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  Nginx nginx(real.settings());
  Put(nginx, "20%", Direction::kDown);
  EXPECT_EQ(real.StatusFor("a"), IsAdmitted(BucketOf("a"), Percent("20%")) ? 200 : 503);
  // A file that says more than was ever allowed.
  test::WriteFile(real.share_file(), agent::ShareFileText({Share::All().Width(), 7}));
  real.Reload();
  for (int i = 0; i < 50; ++i) {
    const std::string user = "user-" + std::to_string(i);
    ASSERT_EQ(real.StatusFor(user), IsAdmitted(BucketOf(user), Percent("20%")) ? 200 : 503);
  }
  EXPECT_EQ(nginx.Read().in_force, Percent("20%"));
}

TEST(Nginx, ARestartTakesTheShareOfTheFile) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  Nginx nginx(real.settings());
  const std::string before = nginx.Read().instance;
  Put(nginx, "20%", Direction::kDown);
  real.Kill();
  EXPECT_FALSE(nginx.Read().in_force.has_value());
  EXPECT_FALSE(nginx.ReadCounters().ok());
  real.Start();
  for (int i = 0; i < 50; ++i) {
    const std::string user = "user-" + std::to_string(i);
    ASSERT_EQ(real.StatusFor(user), IsAdmitted(BucketOf(user), Percent("20%")) ? 200 : 503);
  }
  const Reading after = nginx.Read();
  EXPECT_EQ(after.in_force, Percent("20%"));
  EXPECT_NE(after.instance, before);
}

TEST(Nginx, WithoutAFileAStartAdmitsNobodyAndSaysSo) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  for (const char* text : {"", "garbage", "#\nadmit_w 9999999\n", "#\nadmit_w -1\n"}) {
    real.Stop();
    test::WriteFile(real.share_file(), text);
    real.Start();
    EXPECT_EQ(real.StatusFor("a"), 503) << text;
    EXPECT_THAT(real.Log(), HasSubstr("says no share: nobody is admitted"));
  }
}

TEST(Nginx, AFileThatFailsWhileItRunsChangesNothing) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  Nginx nginx(real.settings());
  Put(nginx, "50%", Direction::kDown);
  for (const char* text : {"", "garbage", "#\nadmit_w 1048576\nretry_after 7\n"}) {
    test::WriteFile(real.share_file(), text);
    // Longer than a worker goes without a look at the file.
    const SteadyClock clock;
    const TimePoint until = clock.Now() + Duration(1'500);
    while (clock.Now() < until) {
      for (const char* user : {"user-1", "user-2", "user-3", "user-4"}) {
        ASSERT_EQ(real.StatusFor(user), IsAdmitted(BucketOf(user), Percent("50%")) ? 200 : 503);
      }
    }
    EXPECT_EQ(nginx.Read().in_force, Percent("50%")) << text;
  }
}

TEST(Nginx, AFileThatSaysLessLowersEveryWorkerEvenWhereTheControlCannotBeReached) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  Nginx nginx(real.settings());
  ASSERT_TRUE(nginx.Read().in_force.has_value());
  test::WriteFile(real.share_file(), agent::ShareFileText({0, 7}));
  EXPECT_TRUE(Eventually([&] { return real.StatusFor("a") == 503; }));
}

TEST(Nginx, ALoweringReachesTheOldBinaryBesideANewOne) {
  const TestApp app;
  TestNginx real({.app_port = app.port(), .daemon = true});
  Nginx nginx(real.settings());
  ASSERT_TRUE(nginx.Read().in_force.has_value());
  real.BeginUpgrade();
  Put(nginx, "0%", Direction::kDown);
  // Both accept connections: twenty refusals in a row come from both.
  EXPECT_TRUE(Eventually([&] {
    for (int i = 0; i < 20; ++i) {
      if (real.StatusFor("a") != 503) return false;
    }
    return true;
  }));
  const auto refused = [&] {
    nginx.Read();
    return nginx.ReadCounters()->refused;
  };
  const std::uint64_t before = refused();
  // Whoever tells, what was counted never counts twice.
  for (int i = 0; i < 20; ++i) EXPECT_LE(refused(), before + 40);
}

TEST(Nginx, NobodySetsAShareWithoutTheToken) {
  const TestApp app;
  const TestNginx real({.app_port = app.port(), .share = Percent("20%")});
  const std::string path = "/.headgate/control/shop?admit_w=1048576&retry_after=7";
  EXPECT_EQ(real.Get(path).status, 403);
  EXPECT_EQ(real.Get(path, {"X-Headgate-Token: 0"}).status, 403);
  EXPECT_EQ(real.Get(path, {"X-Headgate-Token:"}).status, 403);
  Settings settings = real.settings();
  settings.token = real.folder() + "/other";
  test::WriteFile(settings.token, "ffffffffffffffffffffffffffffffff\n");
  EXPECT_THAT(Nginx(settings).Read().trouble, HasSubstr("does not take the token of"));
  EXPECT_EQ(Nginx(real.settings()).Read().in_force, Percent("20%"));
}

TEST(Nginx, ABadValueIsRefusedAndChangesNothing) {
  const TestApp app;
  const TestNginx real({.app_port = app.port(), .share = Percent("20%")});
  const std::vector<std::string> token = {"X-Headgate-Token: 00112233445566778899aabbccddeeff"};
  for (const char* query : {"admit_w=-1&retry_after=7", "admit_w=1048577&retry_after=7",
                            "admit_w=1.5&retry_after=7", "admit_w=x&retry_after=7", "admit_w=5",
                            "admit_w=5&retry_after=0", "admit_w=nan&retry_after=7", ""}) {
    const std::string url = real.url(std::string("/.headgate/control/shop?") + query);
    const auto answer = agent::Call({.url = url, .headers = token, .is_post = true});
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 400) << query;
  }
  EXPECT_EQ(Nginx(real.settings()).Read().in_force, Percent("20%"));
}

bool HasIpv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// There an IPv4 address is "::ffff:127.0.0.1", in one /64 with all others.
TEST(Nginx, OnAnIpv6SocketNewCookiesOfIpv4AreCountedByAddress) {
  if (!HasIpv6()) GTEST_SKIP() << "this machine knows no IPv6";
  constexpr unsigned kMost = 3;
  const TestApp app;
  const std::uint16_t port = test::FreePort();
  const TestNginx real({.app_port = app.port(),
                        .more_server = fmt::format("listen [::]:{} ipv6only=off;", port),
                        .new_cookies_per_minute = kMost});
  const auto is_given = [&](const char* from) {
    const HttpAnswer answer =
        test::GetUrl(fmt::format("http://127.0.0.1:{}/", port), {"Sec-Fetch-Mode: navigate"}, from);
    EXPECT_EQ(answer.status, 200);
    return answer.headers.find("headgate_uid=") != std::string::npos;
  };
  unsigned drawn = 0;
  // Twice the limit, if one minute ends and the next begins meanwhile.
  while (drawn <= 2 * kMost && is_given("127.0.0.1")) ++drawn;
  EXPECT_GE(drawn, kMost);
  EXPECT_LE(drawn, 2 * kMost);
  EXPECT_TRUE(is_given("127.0.0.2"));
}

TEST(Nginx, WithoutItsDictNobodyIsAdmittedAndTheLogSaysWhy) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  std::string config = *agent::ReadSmallFile(real.config());
  const std::string dict = "lua_shared_dict headgate 1m;";
  const std::size_t at = config.find(dict);
  ASSERT_NE(at, std::string::npos);
  test::WriteFile(real.config(), config.erase(at, dict.size()));
  real.Reload();
  EXPECT_TRUE(test::Eventually([&] { return real.StatusFor("anna") == 503; }));
  EXPECT_THAT(real.Log(), HasSubstr(dict + " is missing in http {}: nobody is admitted"));
}

TEST(Nginx, CheckIsSatisfiedWithASoundGateAndNamesWhatIsWrong) {
  const TestApp app;
  TestNginx real({.app_port = app.port()});
  EXPECT_THAT(Check(real.settings()), IsEmpty());
  Settings settings = real.settings();
  settings.slow_ms = {500, 2000};
  EXPECT_THAT(Check(settings), ElementsAre(HasSubstr("does not count answers slower than 2000")));
  settings = real.settings();
  settings.key = *agent::UserKey::Parse("cookie session");
  EXPECT_THAT(Check(settings), ElementsAre(HasSubstr("another user key than 'cookie session'")));
  settings = real.settings();
  settings.share += ".other";
  std::filesystem::copy_file(real.share_file(), settings.share);
  EXPECT_THAT(Check(settings), Contains(HasSubstr("from another file than " + settings.share)));
  settings = real.settings();
  settings.gate = "other";
  EXPECT_THAT(Check(settings), ElementsAre(HasSubstr("is not the gate's Lua")));
  settings = real.settings();
  settings.share = real.folder() + "/nothing/shop.share";
  EXPECT_THAT(Check(settings), testing::Contains(HasSubstr("snippet nginx … --write")));
  real.Stop();
  EXPECT_THAT(Check(real.settings()), ElementsAre(HasSubstr("got no answer")));
}

}  // namespace
}  // namespace headgate::nginx

namespace headgate::test {
INSTANTIATE_TYPED_TEST_SUITE_P(OfNginx, EnforcerContract, nginx::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfNginx, WaitingContract, nginx::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfNginx, SignedCookieContract, nginx::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfNginx, NewCookiesContract, nginx::Kind);
}  // namespace headgate::test
