// The endpoint as an enforcer: what it admits, what it remembers, what it counts.
#include "agents/endpoint/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "agents/endpoint/check.h"
#include "agents/endpoint/outside.h"
#include "common/base/bucket.h"
#include "tests/agents/endpoint/test_endpoint.h"
#include "tests/agents/enforcer_contract.h"
#include "tests/agents/new_cookies_contract.h"
#include "tests/agents/signed_cookie_contract.h"
#include "tests/agents/waiting_contract.h"

namespace headgate::endpoint {
namespace {

using agent::Direction;
using test::Eventually;
using test::HttpAnswer;
using test::TestEndpoint;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Share Percent(const char* text) { return *Share::Parse(text); }

// With the listener only.
class Own : public Endpoint {
 public:
  explicit Own(const Settings& settings, std::optional<Share> granted = std::nullopt)
      : Endpoint(settings, granted, nullptr), outside_(settings) {}
  absl::Status TryWaitPage() const { return outside_.TryWaitPage(); }

 private:
  const Outside outside_;
};

struct Kind {
  using Real = TestEndpoint;
  using Enforcer = Own;
};

TEST(Endpoint, WithoutAShareFileItAdmitsTheBootstrapShareAndNoMoreThanWasGranted) {
  const TestEndpoint place({});
  Settings settings = place.settings();
  settings.bootstrap_share = Percent("30%");
  const std::pair<std::optional<Share>, Share> starts[] = {{std::nullopt, Percent("30%")},
                                                           {Percent("5%"), Percent("5%")},
                                                           {Share::All(), Percent("30%")}};
  for (const auto& [granted, admitted] : starts) {
    std::filesystem::remove(settings.share);
    Own endpoint(settings, granted);
    EXPECT_EQ(endpoint.Read().in_force, admitted);
    // It is remembered at once.
    EXPECT_EQ(endpoint.Read().at_next_start, admitted);
    EXPECT_EQ(endpoint.Read().trouble, "");
  }
  settings.share = place.folder() / "no/shop.share";
  EXPECT_THAT(Own(settings).Read().trouble, HasSubstr("would admit bootstrap_share, 30 %"));
}

TEST(Endpoint, ARestartAdmitsWhatTheShareFileSaysAndNeverMore) {
  const TestEndpoint place({});
  Settings settings = place.settings();
  settings.bootstrap_share = Share::All();
  {
    Own endpoint(settings);
    ASSERT_TRUE(endpoint.Put({Percent("20%"), 7, Direction::kDown}).in_memory.ok());
  }
  Own endpoint(settings);
  EXPECT_EQ(endpoint.Read().in_force, Percent("20%"));
  EXPECT_EQ(endpoint.Read().retry_after_s, 7U);
  EXPECT_TRUE(endpoint.Try(Percent("20%")).ok());
}

TEST(Endpoint, AShareFileThatSaysNothingAdmitsNobody) {
  const TestEndpoint place({});
  Settings settings = place.settings();
  settings.bootstrap_share = Share::All();
  for (const char* text : {"", "garbage", "admit_w x\n", "retry_after 5\n", "admit_w -5\n"}) {
    test::WriteFile(settings.share, text);
    Own endpoint(settings);
    EXPECT_EQ(endpoint.Read().in_force, Share::None()) << text;
    EXPECT_EQ(place.StatusFor("a"), 503) << text;
  }
  test::WriteFile(settings.share, "garbage");
  EXPECT_THAT(Own(settings).Read().trouble, HasSubstr("nobody is admitted until"));
}

TEST(Endpoint, AFileThatSaysLessLowersAndOneThatSaysMoreDoesNot) {
  const TestEndpoint place({.share = Percent("50%")});
  const Settings settings = place.settings();
  Own endpoint(settings);
  const auto width = [&] { return endpoint.Read().in_force; };
  test::WriteFile(settings.share, agent::ShareFileText({Share::All().Width(), 10}));
  // The next look at the file that says less comes after the one that says more.
  test::WriteFile(settings.share + ".next", agent::ShareFileText({Percent("10%").Width(), 10}));
  std::set<std::uint32_t> seen;
  const SteadyClock clock;
  const TimePoint until = clock.Now() + 2 * Follower::kEvery;
  while (clock.Now() < until) seen.insert(width()->ppm());
  EXPECT_EQ(seen, std::set<std::uint32_t>{Percent("50%").ppm()});
  std::filesystem::rename(settings.share + ".next", settings.share);
  EXPECT_TRUE(Eventually([&] { return width() == Percent("10%"); }));
}

TEST(Endpoint, IsOpenedAnewOnceNobodyElseListensThere) {
  const TestEndpoint place({.share = Percent("20%")});
  {
    Own first(place.settings());
    Own second(place.settings());
    EXPECT_FALSE(second.Read().in_force.has_value());
    EXPECT_THAT(second.Read().trouble, HasSubstr("cannot listen on 127.0.0.1:"));
    EXPECT_FALSE(second.ReadCounters().ok());
  }
  Own third(place.settings());
  EXPECT_EQ(third.Read().in_force, Percent("20%"));
}

TEST(Endpoint, ListensOnAUnixSocketThatAKilledAgentLeftBehind) {
  const TestEndpoint place({.share = Percent("20%")});
  Settings settings = place.settings();
  settings.listen = {.path = place.folder() / "shop.sock"};
  settings.mode = 0600;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, settings.listen.path.c_str());
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  Own endpoint(settings);
  EXPECT_EQ(endpoint.Read().trouble, "");
  EXPECT_TRUE(endpoint.Try(Percent("20%")).ok()) << endpoint.Try(Percent("20%"));
  EXPECT_FALSE(endpoint.Try(Percent("21%")).ok());
  EXPECT_EQ(std::filesystem::status(settings.listen.path).permissions(),
            std::filesystem::perms(0600));
  EXPECT_THAT(Check(settings), IsEmpty());
}

TEST(Endpoint, CountsWhatItDecidesAndMakesNoAnswersUp) {
  const TestEndpoint place({.share = Percent("0%")});
  Own endpoint(place.settings());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(place.StatusFor("a"), 503);
  EXPECT_EQ(place.Get("/authz", {"X-Forwarded-Uri: /healthz"}).status, 200);
  ASSERT_TRUE(endpoint.Put({Share::All(), 7, Direction::kUp}).in_memory.ok());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(place.StatusFor("a"), 200);
  const auto raw = endpoint.ReadCounters();
  ASSERT_TRUE(raw.ok());
  EXPECT_EQ(raw->refused, 3U);
  EXPECT_EQ(raw->bypassed, 1U);
  // Without an access log nobody knows how they were answered.
  EXPECT_EQ(raw->answered, 0U);
  EXPECT_THAT(raw->slow, IsEmpty());
  EXPECT_THAT(endpoint.Describe().slow_thresholds_ms, IsEmpty());
}

TEST(Endpoint, ALoweringRemovesWhatNginxKeepsAndNothingElse) {
  const TestEndpoint place({});
  Settings settings = place.settings();
  settings.remembered = place.folder() / "kept";
  std::filesystem::create_directories(settings.remembered + "/a/bc");
  const std::string digits = "0123456789abcdef0123456789abcdef";
  for (const char* name : {"/", "/a/", "/a/bc/"}) {
    test::WriteFile(settings.remembered + name + digits, "kept");
  }
  test::WriteFile(settings.remembered + "/README", "not nginx's");
  Own endpoint(settings);
  const auto kept = [&] {
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(settings.remembered)) {
      files += entry.is_regular_file() && entry.path().filename() != "README" ? 1 : 0;
    }
    return files;
  };
  ASSERT_EQ(kept(), 3);
  endpoint.Put({Percent("20%"), 7, Direction::kDown});
  EXPECT_TRUE(Eventually([&] { return kept() == 0; }));
  EXPECT_TRUE(std::filesystem::exists(settings.remembered + "/README"));
  // An answer from before the lowering that nginx writes down only now.
  test::WriteFile(settings.remembered + "/" + digits, "kept");
  EXPECT_TRUE(Eventually([&] {
    endpoint.Read();
    return kept() == 0;
  }));
}

TEST(Endpoint, GoesOnUntilWhatNginxKeepsIsRemovedAndSaysSoMeanwhile) {
  const TestEndpoint place({});
  Settings settings = place.settings();
  settings.remembered = place.folder() / "kept";
  const std::string stubborn = settings.remembered + "/0123456789abcdef0123456789abcdef";
  // Not even root removes a folder that holds something.
  std::filesystem::create_directories(stubborn + "/held");
  Own endpoint(settings);
  endpoint.Put({Percent("20%"), 7, Direction::kDown});
  const auto trouble = [&] { return endpoint.Read().trouble; };
  ASSERT_TRUE(Eventually([&] { return trouble().find("cannot be removed") != std::string::npos; }));
  for (int look = 0; look < 100; ++look) EXPECT_THAT(trouble(), HasSubstr("cannot be removed"));
  std::filesystem::remove(stubborn + "/held");
  EXPECT_TRUE(Eventually([&] { return trouble().empty(); }));
  EXPECT_FALSE(std::filesystem::exists(stubborn));
}

TEST(Endpoint, AStartWhereNobodyIsAdmittedLeavesNothingThatNginxKept) {
  for (const char* share : {"0%", "20%"}) {
    const TestEndpoint place({.share = Percent(share)});
    Settings settings = place.settings();
    settings.remembered = place.folder() / "kept";
    const std::string kept = settings.remembered + "/0123456789abcdef0123456789abcdef";
    std::filesystem::create_directories(settings.remembered);
    test::WriteFile(kept, "kept");
    {
      const Own endpoint(settings);
      if (Percent(share) == Share::None()) {
        EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(kept); }));
      }
    }
    // Who is in stays in: at any other share users may be among them who are.
    EXPECT_EQ(std::filesystem::exists(kept), Percent(share) != Share::None()) << share;
  }
}

TEST(Outside, SeesAndLowersARunningEndpointAndRaisesNothing) {
  const TestEndpoint place({.share = Percent("50%")});
  Own endpoint(place.settings());
  Outside outside(place.settings());
  EXPECT_EQ(outside.Read().in_force, Percent("50%"));
  EXPECT_EQ(outside.Read().at_next_start, Percent("50%"));
  const agent::ApplyOutcome down = outside.Put({Percent("10%"), 7, Direction::kDown});
  EXPECT_TRUE(down.in_memory.ok()) << down.in_memory;
  EXPECT_EQ(outside.Read().in_force, Percent("10%"));
  EXPECT_TRUE(outside.Try(Percent("10%")).ok());
  const agent::ApplyOutcome up = outside.Put({Percent("90%"), 7, Direction::kUp});
  EXPECT_FALSE(up.in_memory.ok());
  EXPECT_EQ(outside.Read().in_force, Percent("10%"));
}

TEST(Outside, ProvesTheShareOfAGateWhoseCookiesAreSigned) {
  const TestEndpoint place({.share = Percent("50%")});
  Own endpoint(place.settings());
  const CookieKeys keys{.issuing = 5, .keys = {{5, std::string(32, 'a')}}};
  ASSERT_TRUE(endpoint.PutCookieKeys(keys).ok());
  EXPECT_THAT(Check(place.settings()), testing::IsEmpty());
  Outside outside(place.settings());
  outside.Read();
  EXPECT_TRUE(outside.Try(Percent("50%")).ok()) << outside.Try(Percent("50%"));
}

TEST(Outside, WithoutAnAgentItLowersTheFileAndSaysWhoIsMissing) {
  const TestEndpoint place({.share = Percent("50%")});
  Outside outside(place.settings());
  EXPECT_FALSE(outside.Read().in_force.has_value());
  EXPECT_THAT(outside.Read().trouble, HasSubstr("is `headgate-agent run` running?"));
  const agent::ApplyOutcome down = outside.Put({Percent("10%"), 7, Direction::kDown});
  EXPECT_FALSE(down.in_memory.ok());
  EXPECT_TRUE(down.at_next_start.ok());
  EXPECT_EQ(Own(place.settings()).Read().in_force, Percent("10%"));
  EXPECT_THAT(Check(place.settings()), testing::ElementsAre(HasSubstr("does not answer")));
}

TEST(Endpoint, TenThousandUsersAreThoseOfTheAgentsOwnRule) {
  const TestEndpoint place({.share = Percent("20%")});
  Own endpoint(place.settings());
  const Admission rule(*MakeRules(agent::UserKey(), {}, {}), {Percent("20%").Width(), 7});
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string user = "0b9c-" + std::to_string(i);
    const bool is_in = IsAdmitted(BucketOf(user), Percent("20%"));
    ASSERT_EQ(rule.Admits(user), is_in);
    // Each tenth by way of the socket, too.
    if (i % 10 == 0) {
      ASSERT_EQ(place.StatusFor(user), is_in ? 200 : 503) << user;
    }
    admitted += is_in ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 2'000, 200);
}

}  // namespace
}  // namespace headgate::endpoint

namespace headgate::test {

INSTANTIATE_TYPED_TEST_SUITE_P(OfEndpoint, EnforcerContract, endpoint::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfEndpoint, WaitingContract, endpoint::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfEndpoint, SignedCookieContract, endpoint::Kind);
INSTANTIATE_TYPED_TEST_SUITE_P(OfEndpoint, NewCookiesContract, endpoint::Kind);

}  // namespace headgate::test
