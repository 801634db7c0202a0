// The snippet's weighted clusters in a real Envoy: whom they admit, and what is answered.
#include "agents/envoy/envoy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agents/core/counter_sums.h"
#include "agents/envoy/check.h"
#include "common/base/bucket.h"
#include "tests/agents/enforcer_contract.h"
#include "tests/agents/waiting_contract.h"
#include "tests/support/test_app.h"
#include "tests/support/test_envoy.h"

namespace headgate::envoy {
namespace {

using agent::Direction;
using test::Eventually;
using test::HttpAnswer;
using test::TestApp;
using test::TestEnvoy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Share Percent(const char* text) { return *Share::Parse(text); }

TEST(Envoy, AdmitsTheSameUsersAsEveryOtherAndLosesNoneOnAnUpwardStep) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Share::None()});
  Envoy envoy(real.settings());
  std::set<std::string> before;
  for (const char* text : {"5%", "33%", "80%"}) {
    const Share share = Percent(text);
    ASSERT_TRUE(envoy.Put({share, 7, Direction::kUp}).in_memory.ok());
    std::set<std::string> admitted;
    for (int i = 0; i < 1000; ++i) {
      const std::string user = "user-" + std::to_string(i);
      const int status = real.StatusFor(user);
      ASSERT_EQ(status, IsAdmitted(BucketOf(user), share) ? 200 : 503) << user << " at " << text;
      if (status == 200) admitted.insert(user);
    }
    for (const std::string& user : before) EXPECT_EQ(admitted.count(user), 1U) << user;
    before = admitted;
  }
}

TEST(Envoy, TakesTheSameOfSeveralCookiesAsHaproxy) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Percent("50%")});
  const test::TestHaproxy haproxy({.app_port = app.port(), .share = Percent("50%")});
  std::string in;
  std::string out;
  for (int i = 0; in.empty() || out.empty(); ++i) {
    // In quotes, too, which are part of the key.
    const std::string user = "user-" + std::to_string(i);
    const bool is_in = IsAdmitted(BucketOf(user), Percent("50%"));
    if (is_in == IsAdmitted(BucketOf("\"" + user + "\""), Percent("50%"))) continue;
    (is_in ? in : out) = user;
  }
  for (const std::string& cookies :
       {"headgate_uid=" + in + "; headgate_uid=" + out,
        "headgate_uid=" + out + "; headgate_uid=" + in,
        "a=1;headgate_uid=" + out + ";b=headgate_uid=" + in,
        "xheadgate_uid=" + in + "; headgate_uid=" + out + "; yheadgate_uid=" + in,
        "headgate_uid=\"" + in + "\"", "headgate_uid=\"" + out + "\"; b=2", std::string("a=1"),
        std::string("headgate_uid=")}) {
    EXPECT_EQ(real.Get("/", {"Cookie: " + cookies}).status,
              haproxy.Get("/", {"Cookie: " + cookies}).status)
        << cookies;
  }
}

TEST(Envoy, AHeaderAndAnAddressAreKeysToo) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy by_header(
      {.app_port = app.port(), .key = "header X-User-Id", .share = Percent("50%")});
  for (int i = 0; i < 50; ++i) {
    const std::string user = "user-" + std::to_string(i);
    EXPECT_EQ(by_header.Get("/", {"X-User-Id: " + user}).status,
              IsAdmitted(BucketOf(user), Percent("50%")) ? 200 : 503);
  }
  EXPECT_EQ(by_header.Get("/").status, 503);
  const std::uint32_t bucket = BucketOf("127.0.0.1");
  const TestEnvoy by_address({.app_port = app.port(), .key = "client_address"});
  Envoy envoy(by_address.settings());
  ASSERT_TRUE(envoy.Put({agent::ShareOfWidth(bucket), 7, Direction::kDown}).in_memory.ok());
  EXPECT_EQ(by_address.Get("/").status, 503);
  ASSERT_TRUE(envoy.Put({agent::ShareOfWidth(bucket + 2), 7, Direction::kUp}).in_memory.ok());
  EXPECT_EQ(by_address.Get("/").status, 200);
}

TEST(Envoy, ARefusedPersonGetsAPageAndAProgramAProblemAndBothATime) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Share::None()});
  const HttpAnswer page = real.Get("/", {"Accept: text/html"});
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.headers, HasSubstr("retry-after: 1"));
  EXPECT_THAT(page.headers, HasSubstr("cache-control: no-store"));
  EXPECT_THAT(page.headers, HasSubstr("set-cookie: headgate_uid="));
  EXPECT_THAT(page.body, HasSubstr("not open to everybody yet"));
  EXPECT_THAT(page.body, Not(HasSubstr("{{")));
  const HttpAnswer problem = real.Get("/api", {"Accept: application/json"});
  EXPECT_EQ(problem.status, 503);
  EXPECT_THAT(problem.headers, HasSubstr("application/problem+json"));
  EXPECT_THAT(problem.headers, Not(HasSubstr("set-cookie")));
  EXPECT_THAT(problem.body, HasSubstr("\"retry_after_s\":1"));
}

TEST(Envoy, GivesEachPersonACookieOfTheirOwnOnNavigationsOnly) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port()});
  std::set<std::string> given;
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = real.Get("/", {"Sec-Fetch-Mode: navigate"});
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.headers, HasSubstr("cache-control: private"));
    EXPECT_THAT(answer.headers, Not(HasSubstr("Secure")));
    const std::size_t at = answer.headers.find("headgate_uid=");
    ASSERT_NE(at, std::string::npos);
    given.insert(answer.headers.substr(at, 49));
  }
  EXPECT_EQ(given.size(), 20U);
  EXPECT_THAT(real.Get("/a.png", {"Sec-Fetch-Mode: no-cors"}).headers,
              Not(HasSubstr("set-cookie")));
  EXPECT_THAT(real.Get("/", {"Cookie: headgate_uid=a", "Sec-Fetch-Mode: navigate"}).headers,
              Not(HasSubstr("headgate_uid")));
}

// Of a draw anew for each request, some would come through.
TEST(Envoy, WhoHasNoCookieIsRefusedBelowAHundredPercentAndComesInWithTheOneGiven) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  const TestEnvoy real({.app_port = app.port(), .share = Percent("90%")});
  int admitted = 0;
  for (int i = 0; i < 30; ++i) {
    const HttpAnswer answer = real.Get("/", {"Accept: text/html"});
    EXPECT_EQ(answer.status, 503);
    const std::size_t at = answer.headers.find("headgate_uid=");
    ASSERT_NE(at, std::string::npos);
    const std::string uid = answer.headers.substr(at + 13, 36);
    const int status = real.StatusFor(uid);
    EXPECT_EQ(status, IsAdmitted(BucketOf(uid), Percent("90%")) ? 200 : 503) << uid;
    if (status == 200) ++admitted;
  }
  EXPECT_GT(admitted, 0);
}

TEST(Envoy, CountsAdmittedBadSlowBypassedAndRefusedApart) {
  HEADGATE_NEEDS_ENVOY();
  TestApp app;
  const TestEnvoy real(
      {.app_port = app.port(), .slow_ms = {200, 5000}, .bypass = {"path=/webhook"}});
  Envoy envoy(real.settings());
  const SteadyClock clock;
  agent::CounterSummer summer;
  const auto look = [&] {
    envoy.Read();
    const auto raw = envoy.ReadCounters();
    EXPECT_TRUE(raw.ok()) << raw.status();
    if (raw.ok()) summer.Add(*raw, clock.Now());
    return summer.sums();
  };
  look();
  EXPECT_TRUE(envoy.Try(Share::All()).ok());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  app.AnswerWith(500);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(real.StatusFor("a"), 500);
  EXPECT_EQ(real.Get("/webhook").status, 500);
  app.AnswerWith(200);
  app.DelayBy(300);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(real.StatusFor("a"), 200);
  EXPECT_EQ(real.Get("/webhook").status, 200);
  app.DelayBy(0);
  ASSERT_TRUE(envoy.Put({Share::None(), 7, Direction::kDown}).in_memory.ok());
  EXPECT_TRUE(envoy.Try(Share::None()).ok());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(real.StatusFor("a"), 503);
  EXPECT_EQ(real.Get("/webhook").status, 200);
  ASSERT_TRUE(Eventually([&] {
    look();
    return summer.sums().slow.at(200) == 2 && summer.sums().bypassed == 3;
  })) << summer.sums().slow.at(200)
      << " " << summer.sums().bypassed;
  const agent::CounterSums& sums = summer.sums();
  EXPECT_EQ(sums.admitted, 10U);
  EXPECT_EQ(sums.refused, 4U);
  EXPECT_EQ(sums.http_5xx, 3U);
  EXPECT_EQ(sums.slow.at(5000), 0U);
  EXPECT_EQ(sums.connection_errors, 0U);
  EXPECT_EQ(envoy.ReadCounters()->in_flight, 0U);
}

TEST(Envoy, CountsConnectionErrorsAndItsOwn503sOfAdmittedUsersAndWhatIsUnderWay) {
  HEADGATE_NEEDS_ENVOY();
  TestApp app;
  const TestEnvoy real({.app_port = app.port()});
  Envoy envoy(real.settings());
  const auto look = [&] {
    envoy.Read();
    return envoy.ReadCounters().value_or(agent::RawCounters());
  };
  app.DelayBy(60'000);
  std::thread user([&] { real.StatusFor("a"); });
  EXPECT_TRUE(Eventually([&] { return look().in_flight == 1; }));
  app.Stop();
  user.join();
  EXPECT_TRUE(Eventually([&] { return look().in_flight == 0; }));
  const agent::RawCounters before = look();
  EXPECT_EQ(real.StatusFor("a"), 503);
  EXPECT_TRUE(Eventually([&] { return look().http_5xx == before.http_5xx + 1; }));
  EXPECT_GT(look().connection_errors, before.connection_errors);
  EXPECT_EQ(look().answered, before.answered + 1);
  EXPECT_EQ(look().refused, 0U);
}

TEST(Envoy, CheckIsSatisfiedWithASoundGateAndNamesWhatIsWrong) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  TestEnvoy real({.app_port = app.port(), .share = Percent("20%")});
  EXPECT_THAT(Check(real.settings()), IsEmpty());
  // Envoy tells its thresholds from the first answer on.
  for (int i = 0; real.StatusFor("user-" + std::to_string(i)) != 200; ++i) ASSERT_LT(i, 1000);
  ASSERT_TRUE(Eventually([&] {
    const auto stats = Admin(real.admin()).ReadStats("headgate_shop.upstream_rq_time$");
    return stats.ok() && !stats->below.empty() && !stats->below.begin()->second.empty();
  }));
  EXPECT_THAT(Check(real.settings()), IsEmpty());
  Settings settings = real.settings();
  settings.slow_ms = {500, 2000};
  EXPECT_THAT(Check(settings), ElementsAre(HasSubstr("does not count answers slower than 2000")));
  settings = real.settings();
  settings.key = *agent::UserKey::Parse("cookie session");
  EXPECT_THAT(Check(settings), ElementsAre(HasSubstr("another user key than 'cookie session'")));
  settings = real.settings();
  settings.share += ".other";
  std::filesystem::copy_file(real.settings().share, settings.share);
  EXPECT_THAT(Check(settings), ElementsAre(HasSubstr("and not from " + settings.share)));
  settings = real.settings();
  settings.gate = "other";
  EXPECT_THAT(Check(settings), testing::Contains(HasSubstr("no layer headgate_other")));
  settings = real.settings();
  settings.app_clusters = {"nope"};
  EXPECT_THAT(Check(settings), testing::Contains(HasSubstr("no cluster 'nope'")));
  settings = real.settings();
  settings.probe_url = real.url("/.headgate/prob");
  EXPECT_THAT(Check(settings), testing::Contains(HasSubstr("most likely the path of probe_url")));
  settings = real.settings();
  settings.share = real.folder() + "/nothing/shop.yaml";
  EXPECT_THAT(Check(settings), testing::Contains(HasSubstr("snippet envoy … --write")));
  real.Stop();
  EXPECT_THAT(Check(real.settings()), ElementsAre(HasSubstr("into Envoy's bootstrap")));
}

TEST(Envoy, CheckFindsRoutesThatDrawAFilterThatIsMissingAndALayerOnTop) {
  HEADGATE_NEEDS_ENVOY();
  const TestApp app;
  TestEnvoy real({.app_port = app.port(), .share = Percent("20%")});
  const std::string sound = test::ReadFile(real.config());
  // Of every route.
  std::string drawing = sound;
  for (std::size_t at = 0; (at = drawing.find("use_hash_policy: true")) != std::string::npos;) {
    drawing.replace(at, 21, "use_hash_policy: false");
  }
  test::WriteFile(real.config(), drawing);
  real.Stop();
  real.Start();
  EXPECT_THAT(Check(real.settings()),
              ElementsAre(testing::AnyOf(HasSubstr("`use_hash_policy: true` or the hash_policy"),
                                         HasSubstr("does not enforce what it was told"))));
  test::WriteFile(real.config(), sound);
  real.ChangeAndStart("  - name: admin\n    admin_layer: {}\n",
                      "  - name: admin\n    admin_layer: {}\n  - name: top\n    static_layer: "
                      "{headgate: {shop: {app: 7}}}\n");
  EXPECT_THAT(Check(real.settings()), testing::Contains(HasSubstr("do not fit each other")));
  Envoy envoy(real.settings());
  EXPECT_THAT(std::string(envoy.Put({Percent("10%"), 7, Direction::kDown}).in_memory.message()),
              HasSubstr("another layer stands above the admin_layer"));
}

struct Kind {
  static constexpr bool kKnowsNoNewPlace = true;
  static std::string Missing() { return test::WhyNoEnvoy(); }
  using Real = TestEnvoy;
  using Enforcer = Envoy;
};

}  // namespace
}  // namespace headgate::envoy

namespace headgate::test {
INSTANTIATE_TYPED_TEST_SUITE_P(OfEnvoy, EnforcerContract, envoy::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfEnvoy, WaitingContract, envoy::Kind);
}  // namespace headgate::test
