// Two gates in one frontend of a real HAProxy: each counts its own, if each has a tracking slot of
// its own, and `check` says so if not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <thread>

#include "agents/core/cookie.h"
#include "agents/core/forecast.h"
#include "agents/haproxy/names.h"
#include "agents/haproxy/tracking.h"
#include "common/base/bucket.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::haproxy {
namespace {

using test::Eventually;
using test::GetUrl;
using test::TestApp;
using test::TestHaproxy;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kBankProbe[] = "/.headgate/bank";

// The gate 'shop' in slot 2, as printed if nothing is said, and 'bank' below it.
class OneFrontend : public testing::Test {
 protected:
  void Start(int slot_of_bank) {
    for (const auto& [path, text] :
         {std::pair(bank_map(), agent::ShareFileText({Share::All().Width(), 10})),
          std::pair(agent::CookieKeysFileOf(bank_map()), agent::CookieKeysText({})),
          std::pair(agent::ForecastFileOf(bank_map()), agent::ForecastText({}))}) {
      test::WriteFile(path, text);
    }
    const auto text = Snippet({.gate = "bank",
                               .app_backend = "bank",
                               .key = *agent::UserKey::Parse("cookie bank_uid"),
                               .slow_ms = {500},
                               .map = bank_map(),
                               // Only in its comments.
                               .socket = "/run/haproxy/admin.sock",
                               .bypass = {"path=/bank/hook"},
                               .probe_path = kBankProbe,
                               .track_slot = slot_of_bank});
    ASSERT_TRUE(text.ok()) << text.status();
    const std::size_t wait = text->find("# 3.");
    real_ = std::make_unique<TestHaproxy>(TestHaproxy::Options{
        .app_port = app_.port(),
        .more_frontend = text->substr(0, wait) + "    use_backend bank if { path_beg /bank }\n",
        .more_sections = fmt::format("{}\nbackend bank\n    server a 127.0.0.1:{}\n",
                                     text->substr(wait), app_.port())});
    shop_ = std::make_unique<Haproxy>(real_->settings());
    bank_ = std::make_unique<Haproxy>(bank_settings());
  }
  std::string bank_map() const { return folder_ / "bank.map"; }
  Settings bank_settings() const {
    Settings settings = real_->settings();
    settings.gate = "bank";
    settings.map = bank_map();
    settings.app_backend = "bank";
    settings.wait_backend = WaitBackendOf("bank");
    settings.probe_url = real_->url(kBankProbe);
    settings.key = *agent::UserKey::Parse("cookie bank_uid");
    return settings;
  }
  static agent::RawCounters CountersOf(Haproxy& gate) {
    gate.Read();
    const auto counters = gate.ReadCounters();
    EXPECT_TRUE(counters.ok()) << counters.status();
    return counters.value_or(agent::RawCounters());
  }
  int StatusFor(const std::string& path, const std::string& user) const {
    return real_->Get(path, {fmt::format("Cookie: headgate_uid={0}; bank_uid={0}", user)}).status;
  }

  TestApp app_;
  const test::TempFolder folder_;
  std::unique_ptr<TestHaproxy> real_;
  std::unique_ptr<Haproxy> shop_;
  std::unique_ptr<Haproxy> bank_;
};

// As nginx answers the probe of its own gate of that name.
TEST(ProbeUrl, OfAnotherLoadBalancerIsTold) {
  httplib::Server other;
  other.Get("/.*", [](const httplib::Request&, httplib::Response& response) {
    response.set_header("X-Headgate-Gate", "shop");
    response.set_content("bucket=7 width=8 slow=500\n", "text/plain");
  });
  const int port = other.bind_to_any_port("127.0.0.1");
  std::thread serving([&] { other.listen_after_bind(); });
  const TestApp app;
  const TestHaproxy real({.app_port = app.port()});
  Settings settings = real.settings();
  EXPECT_TRUE(IsAnsweredByHaproxy(settings));
  settings.probe_url = fmt::format("http://127.0.0.1:{}/.headgate/probe", port);
  EXPECT_TRUE(Eventually([&] { return GetUrl(settings.probe_url).status == 200; }));
  EXPECT_FALSE(IsAnsweredByHaproxy(settings));
  other.stop();
  serving.join();
}

// Each signs it with keys of its own.
TEST_F(OneFrontend, TheSameCookieForBothIsTold) {
  Start(1);
  Settings bank = bank_settings();
  bank.key = real_->settings().key;
  EXPECT_THAT(InOneAnothersWay({real_->settings(), bank}),
              ElementsAre(AllOf(HasSubstr("'shop' and 'bank' both have the cookie headgate_uid"),
                                HasSubstr("'cookie headgate_uid_2'"))));
}

TEST_F(OneFrontend, EachGateInASlotOfItsOwnCountsItsOwn) {
  Start(1);
  EXPECT_THAT(InOneAnothersWay({real_->settings(), bank_settings()}), IsEmpty());
  EXPECT_TRUE(shop_->Try(Share::All()).ok()) << shop_->Try(Share::All());
  EXPECT_TRUE(bank_->Try(Share::All()).ok()) << bank_->Try(Share::All());
  app_.DelayBy(600);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(StatusFor("/", "a"), 200);
  EXPECT_EQ(StatusFor("/bank", "a"), 200);
  app_.DelayBy(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(StatusFor("/healthz", "a"), 200);
  EXPECT_EQ(StatusFor("/bank/hook", "a"), 200);
  EXPECT_TRUE(Eventually(
      [&] { return CountersOf(*shop_).answered == 5 && CountersOf(*bank_).answered == 2; }));
  EXPECT_EQ(CountersOf(*shop_).slow.at(500), 2U);
  EXPECT_EQ(CountersOf(*bank_).slow.at(500), 1U);
  EXPECT_EQ(CountersOf(*shop_).bypassed, 3U);
  EXPECT_EQ(CountersOf(*bank_).bypassed, 1U);
  // And gives a cookie of its own.
  const std::string given = real_->Get("/", {"Sec-Fetch-Mode: navigate"}).headers;
  EXPECT_THAT(given, AllOf(HasSubstr("headgate_uid="), HasSubstr("bank_uid=")));
  const std::string of_head = test::HeadUrl(real_->url("/"), {"Sec-Fetch-Mode: navigate"}).headers;
  EXPECT_THAT(of_head, AllOf(HasSubstr("200"), testing::Not(HasSubstr("_uid="))));
}

TEST_F(OneFrontend, BothSharesHoldForEachRequest) {
  Start(1);
  const Share of_shop = *Share::Parse("20%");
  const Share of_bank = *Share::Parse("10%");
  ASSERT_TRUE(shop_->Put({of_shop, 10, agent::Direction::kDown}).in_memory.ok());
  ASSERT_TRUE(bank_->Put({of_bank, 10, agent::Direction::kDown}).in_memory.ok());
  for (int i = 0; i < 40; ++i) {
    const std::string user = fmt::format("user-{}", i);
    const bool is_in = IsAdmitted(BucketOf(user), of_bank);
    EXPECT_EQ(StatusFor("/", user), is_in ? 200 : 503) << user;
    EXPECT_EQ(StatusFor("/bank", user), is_in ? 200 : 503) << user;
  }
  // The upper one's stands before it while not everybody is in: no finding.
  EXPECT_TRUE(bank_->TryWaitPage().ok()) << bank_->TryWaitPage();
  EXPECT_TRUE(shop_->TryWaitPage().ok()) << shop_->TryWaitPage();
}

TEST_F(OneFrontend, ASlotThatTwoGatesShareIsNamedWithThoseThatAreFree) {
  Start(2);
  EXPECT_THAT(
      InOneAnothersWay({real_->settings(), bank_settings()}),
      ElementsAre(AllOf(HasSubstr("'shop' and 'bank' both track in slot sc2 of HAProxy's frontend "
                                  "'fe'"),
                        HasSubstr("print the snippet of 'bank' with --track-slot 0 or 1"))));
}

}  // namespace
}  // namespace headgate::haproxy
