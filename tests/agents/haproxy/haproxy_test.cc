#include "agents/haproxy/haproxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "agents/core/counter_sums.h"
#include "common/base/bucket.h"
#include "tests/agents/enforcer_contract.h"
#include "tests/agents/new_cookies_contract.h"
#include "tests/agents/signed_cookie_contract.h"
#include "tests/agents/waiting_contract.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::haproxy {
namespace {

using agent::Direction;
using agent::Reading;
using test::Eventually;
using test::TestApp;
using test::TestHaproxy;
using testing::HasSubstr;

Share Percent(const char* text) { return *Share::Parse(text); }

struct Kind {
  using Real = test::TestHaproxy;
  using Enforcer = Haproxy;
};

TEST(Haproxy, ProbesNameAWrongKeyAndAForeignPath) {
  const TestApp app;
  const TestHaproxy real({.app_port = app.port(), .share = Percent("20%")});
  Settings settings = real.settings();
  settings.key = *agent::UserKey::Parse("cookie session");
  EXPECT_THAT(std::string(Haproxy(settings).Try(Percent("20%")).message()),
              HasSubstr("another user key"));
  settings = real.settings();
  settings.probe_url = real.url("/healthz");
  EXPECT_THAT(std::string(Haproxy(settings).Try(Percent("20%")).message()),
              HasSubstr("something else than the gate's rule"));
}

TEST(Haproxy, ProbesNameOnlyWhatDiffers) {
  const TestApp app;
  const TestHaproxy real({.app_port = app.port(), .share = Percent("30%")});
  // Just inside 20 % is inside 30 %, too; just outside is not what it should be.
  const std::string inside(Haproxy(real.settings()).Try(Percent("20%")).message());
  EXPECT_THAT(inside,
              HasSubstr(fmt::format("the share got a width of {}, not {}: the load balancer",
                                    Percent("30%").Width(), Percent("20%").Width())));
  const std::string outside(Haproxy(real.settings()).Try(Share::None()).message());
  EXPECT_THAT(outside, HasSubstr(fmt::format("got 200, not 503, and a width of {}, not 0: the load",
                                             Percent("30%").Width())));
}

TEST(Haproxy, ProbesNameAWrongPathAtEveryShare) {
  const TestApp app;
  for (const char* share : {"0%", "20%", "100%"}) {
    const TestHaproxy real({.app_port = app.port(), .share = Percent(share)});
    Settings settings = real.settings();
    settings.probe_url = real.url("/.headgate/prob");
    const std::string why(Haproxy(settings).Try(Percent(share)).message());
    EXPECT_THAT(why, HasSubstr("most likely the path of probe_url is not the snippet's")) << share;
    EXPECT_THAT(why, testing::Not(HasSubstr("another user key"))) << share;
  }
}

TEST(Haproxy, ProbesNameAWrongKeyAtEveryShare) {
  const TestApp app;
  for (const char* share : {"0%", "20%", "100%"}) {
    const TestHaproxy real({.app_port = app.port(), .share = Percent(share)});
    Settings settings = real.settings();
    EXPECT_TRUE(Haproxy(settings).Try(Percent(share)).ok())
        << Haproxy(settings).Try(Percent(share));
    settings.key = *agent::UserKey::Parse("cookie session");
    EXPECT_THAT(std::string(Haproxy(settings).Try(Percent(share)).message()),
                HasSubstr("another user key than 'cookie session'"))
        << share;
  }
}

// What was counted since this object was made; HAProxy counts a request at the end of its answer.
class Tally {
 public:
  explicit Tally(Haproxy& haproxy) : haproxy_(haproxy) { Look(); }
  const agent::CounterSums& Look() {
    haproxy_.Read();
    const auto raw = haproxy_.ReadCounters();
    EXPECT_TRUE(raw.ok()) << raw.status();
    if (raw.ok()) summer_.Add(*raw, clock_.Now());
    return summer_.sums();
  }

 private:
  Haproxy& haproxy_;
  const SteadyClock clock_;
  agent::CounterSummer summer_;
};

TEST(Haproxy, CountsAdmittedBadSlowBypassedAndRefusedApart) {
  TestApp app;
  const TestHaproxy real(
      {.app_port = app.port(), .slow_ms = {500, 5000}, .bypass = {"path=/webhook"}});
  Haproxy haproxy(real.settings());
  Tally tally(haproxy);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  app.AnswerWith(500);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(real.StatusFor("a"), 500);
  EXPECT_EQ(real.Get("/webhook").status, 500);
  app.AnswerWith(200);
  app.DelayBy(600);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  EXPECT_EQ(real.Get("/webhook").status, 200);
  app.DelayBy(0);
  ASSERT_TRUE(haproxy.Put({Share::None(), 10, Direction::kDown}).in_memory.ok());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(real.StatusFor("a"), 503);
  EXPECT_TRUE(Eventually([&] { return tally.Look().admitted == 10 && tally.Look().refused == 4; }))
      << tally.Look().admitted << " " << tally.Look().refused;
  const agent::CounterSums sums = tally.Look();
  EXPECT_EQ(sums.http_5xx, 3U);
  EXPECT_EQ(sums.bypassed, 2U);
  EXPECT_EQ(sums.slow.at(500), 2U);
  EXPECT_EQ(sums.slow.at(5000), 0U);
  EXPECT_EQ(sums.connection_errors, 0U);
}

TEST(Haproxy, AnAnswerThatIsNotCountedGivesNoCookie) {
  const TestApp app;
  const TestHaproxy real(
      {.app_port = app.port(),
       .more_frontend = "    http-request redirect location /new if { path /old }",
       .new_cookies_per_minute = 3});
  const std::vector<std::string> navigation = {"Sec-Fetch-Mode: navigate"};
  for (int i = 0; i < 10; ++i) {
    const test::HttpAnswer redirected = real.Get("/old", navigation);
    EXPECT_EQ(redirected.status, 302);
    EXPECT_THAT(redirected.headers, testing::Not(HasSubstr("headgate_uid=")));
  }
  EXPECT_THAT(real.Get("/", navigation).headers, HasSubstr("headgate_uid="));
}

// With one piece of text in HAProxy's configuration put in another's place.
void Change(TestHaproxy& real, const std::string& from, const std::string& to) {
  std::string config = test::ReadFile(real.config());
  const std::size_t at = config.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  test::WriteFile(real.config(), config.replace(at, from.size(), to));
  real.Stop();
  real.Start();
}

TEST(Haproxy, AThresholdThatIsNotCountedIsLeftOutAndEverythingElseIsCounted) {
  TestApp app;
  const TestHaproxy real({.app_port = app.port(), .slow_ms = {500, 5000}});
  Settings settings = real.settings();
  settings.slow_ms = {500, 700};
  Haproxy haproxy(settings);
  ASSERT_TRUE(haproxy.Try(Share::All()).ok());
  Tally tally(haproxy);
  EXPECT_THAT(haproxy.Describe().slow_thresholds_ms, testing::ElementsAre(500U));
  EXPECT_THAT(haproxy.Read().trouble, HasSubstr("does not count answers slower than 700 ms"));
  app.DelayBy(600);
  EXPECT_EQ(real.StatusFor("a"), 200);
  EXPECT_TRUE(Eventually([&] { return tally.Look().admitted == 1; }));
  EXPECT_THAT(tally.Look().slow, testing::ElementsAre(testing::Pair(500U, 1U)));
}

TEST(Haproxy, ASnippetThatDoesNotTellItsThresholdsLosesOnlyThoseThatDoNotFit) {
  TestApp app;
  TestHaproxy real({.app_port = app.port(), .slow_ms = {500, 5000}});
  Change(real, " slow=500,5000", "");
  Settings settings = real.settings();
  Haproxy fitting(settings);
  settings.slow_ms = {500};
  Haproxy haproxy(settings);
  ASSERT_TRUE(haproxy.Try(Share::All()).ok());
  Tally tally(haproxy);
  app.DelayBy(600);
  EXPECT_EQ(real.StatusFor("a"), 200);
  EXPECT_TRUE(Eventually([&] { return tally.Look().admitted == 1; }));
  EXPECT_TRUE(tally.Look().live);
  EXPECT_THAT(tally.Look().slow, testing::IsEmpty());
  EXPECT_THAT(haproxy.Describe().slow_thresholds_ms, testing::IsEmpty());
  fitting.Read();
  EXPECT_EQ(fitting.ReadCounters()->slow.at(500), 1U);
}

TEST(Haproxy, TheWayToTheWaitingPageIsProvenAtEveryShare) {
  const TestApp app;
  for (const char* share : {"0%", "50%", "100%"}) {
    const TestHaproxy real({.app_port = app.port(), .share = Percent(share)});
    EXPECT_TRUE(Haproxy(real.settings()).TryWaitPage().ok()) << share;
  }
  TestHaproxy real({.app_port = app.port()});
  Change(real, "    use_backend", "    use_backend app if { path_beg / }\n    use_backend");
  EXPECT_THAT(std::string(Haproxy(real.settings()).TryWaitPage().message()),
              HasSubstr("got 200 and not the gate's waiting page"));
}

TEST(Haproxy, KnowsHowManyRequestsAreUnderWayToTheApplication) {
  TestApp app;
  const TestHaproxy real({.app_port = app.port()});
  Haproxy haproxy(real.settings());
  const auto in_flight = [&] {
    haproxy.Read();
    return haproxy.ReadCounters()->in_flight;
  };
  EXPECT_EQ(in_flight(), 0U);
  app.DelayBy(60'000);
  std::thread user([&] { real.StatusFor("a"); });
  EXPECT_TRUE(Eventually([&] { return in_flight() == 1; }));
  app.Stop();
  user.join();
  EXPECT_TRUE(Eventually([&] { return in_flight() == 0; }));
}

TEST(Haproxy, CountsConnectionErrorsAndHaproxysOwn503sOfAdmittedUsers) {
  TestApp app;
  const TestHaproxy real({.app_port = app.port()});
  Haproxy haproxy(real.settings());
  Tally tally(haproxy);
  app.Stop();
  EXPECT_EQ(real.StatusFor("a"), 503);
  EXPECT_TRUE(Eventually([&] { return tally.Look().http_5xx == 1; }));
  EXPECT_GE(tally.Look().connection_errors, 1U);
  EXPECT_EQ(tally.Look().refused, 0U);
}

TEST(Haproxy, ErrorsOfBypassedRequestsWhileTheApplicationIsDownAreNobodysAfterIt) {
  const TestApp app;
  const TestHaproxy real({.app_port = app.port(), .bypass = {"path=/webhook"}});
  Haproxy haproxy(real.settings());
  ASSERT_TRUE(haproxy.Put({Share::None(), 10, Direction::kDown}).in_memory.ok());
  Tally tally(haproxy);
  real.Ask("set server app/a state maint");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(real.Get("/webhook").status, 503);
  EXPECT_TRUE(Eventually([&] {
    tally.Look();
    return haproxy.ReadCounters()->http_5xx == 3;
  }));
  real.Ask("set server app/a state ready");
  ASSERT_TRUE(haproxy.Put({Share::All(), 10, Direction::kUp}).in_memory.ok());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  EXPECT_TRUE(Eventually([&] { return tally.Look().admitted == 5; }));
  EXPECT_EQ(tally.Look().http_5xx, 0U);
}

TEST(Haproxy, AReloadNeverAdmitsAnybodyNewNotForOneRequest) {
  const TestApp app;
  TestHaproxy real({.app_port = app.port()});
  Haproxy haproxy(real.settings());
  ASSERT_TRUE(haproxy.Put({Share::None(), 10, Direction::kDown}).in_memory.ok());
  const std::string before = haproxy.Read().instance;
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::atomic<int> admitted{0};
  std::vector<std::thread> users;
  users.reserve(4);
  for (int i = 0; i < 4; ++i) {
    users.emplace_back([&] {
      while (!stop) {
        const int status = real.StatusFor("abc");
        if (status == 503) ++refused;
        if (status == 200) ++admitted;
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    const int seen = refused;
    real.Reload();
    EXPECT_TRUE(Eventually([&] { return refused > seen + 50; }));
  }
  stop = true;
  for (std::thread& user : users) user.join();
  EXPECT_EQ(admitted, 0);
  EXPECT_NE(haproxy.Read().instance, before);
  EXPECT_EQ(haproxy.Read().in_force, Share::None());
}

TEST(Haproxy, MendsAMapThatLostItsEntries) {
  const TestApp app;
  const TestHaproxy real({.app_port = app.port(), .share = Percent("50%")});
  Haproxy haproxy(real.settings());
  real.Ask("clear map " + real.map());
  EXPECT_EQ(haproxy.Read().in_force, Share::None());
  ASSERT_TRUE(haproxy.Put({Percent("50%"), 10, Direction::kUp}).in_memory.ok());
  EXPECT_EQ(haproxy.Read().in_force, Percent("50%"));
}

TEST(Haproxy, SaysWhatIsMissingInItsConfiguration) {
  const TestApp app;
  const TestHaproxy real({.app_port = app.port()});
  Settings settings = real.settings();
  settings.app_backend = "nope";
  EXPECT_THAT(Haproxy(settings).Read().trouble, HasSubstr("no backend 'nope'"));
  settings = real.settings();
  settings.wait_backend = "nope";
  EXPECT_THAT(Haproxy(settings).Read().trouble, HasSubstr("no backend 'nope'"));
  settings = real.settings();
  settings.map = real.folder() + "/other.map";
  EXPECT_THAT(Haproxy(settings).Read().trouble, HasSubstr("has not loaded the map"));
}

}  // namespace
}  // namespace headgate::haproxy

namespace headgate::test {
INSTANTIATE_TYPED_TEST_SUITE_P(OfHaproxy, EnforcerContract, haproxy::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfHaproxy, WaitingContract, haproxy::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfHaproxy, SignedCookieContract, haproxy::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfHaproxy, NewCookiesContract, haproxy::Kind);
}  // namespace headgate::test
