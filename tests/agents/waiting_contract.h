// What every load balancer promises those who wait, tried on the real one: their own place, a time
// only while it is known, their language, and no way in. A kind is as in enforcer_contract.h.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "agents/core/enforcer.h"
#include "agents/core/forecast.h"
#include "agents/core/wait_page.h"
#include "common/base/bucket.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_app.h"

namespace headgate::test {

template <typename Kind>
class WaitingContract : public testing::Test {
 protected:
  void SetUp() override {
    if constexpr (requires { Kind::Missing(); }) {
      if (const std::string why = Kind::Missing(); !why.empty()) GTEST_SKIP() << why;
    }
  }
  static Share Percent(const char* text) { return *Share::Parse(text); }

  // Somebody whose bucket lies from `least` on and below `share`; a long key, or a short one.
  static std::string UserWithin(const char* least, const char* share) {
    for (int i = 0;; ++i) {
      const std::string user = i % 2 == 0 ? fmt::format("u{}", i)
                                          : fmt::format("0b5e9f1e-7d4c-4f5a-9c1d-{:012}-{}", i, i);
      const std::uint32_t bucket = BucketOf(user);
      if (bucket >= Percent(least).Width() && bucket < Percent(share).Width()) return user;
    }
  }
  static TimePoint WallNow() { return SteadyClock().WallNow(); }
  // 20 % are in; up to 50 % come `in` from now, all others at a time that nobody knows.
  static agent::Forecast Until50(Duration in, TimePoint wall_now) {
    return agent::ForecastOf({{{Percent("50%"), wall_now + in}, {Share::All(), {}}}},
                             Percent("20%"), "UTC", wall_now);
  }
  // What the person reads once the load balancer has looked at the forecast.
  template <typename Real>
  static std::string PageFor(const Real& real, const std::string& user, const std::string& language,
                             const std::string& awaited) {
    std::string body;
    EXPECT_TRUE(Eventually([&] {
      const auto answer = real.Visit(
          {"Accept: text/html", "Accept-Language: " + language, "Cookie: headgate_uid=" + user});
      EXPECT_EQ(answer.status, 503);
      body = answer.body;
      return body.find(awaited) != std::string::npos;
    })) << awaited
        << " is not in: " << body;
    return body;
  }
};
TYPED_TEST_SUITE_P(WaitingContract);

TYPED_TEST_P(WaitingContract, TellsEachPersonTheirPlaceAndTimeInTheirLanguage) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("20%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  const agent::Forecast forecast = this->Until50(std::chrono::minutes(30), this->WallNow());
  const std::string time = forecast.rows[0].time;
  const absl::Status told = enforcer.Foretell(forecast);
  ASSERT_TRUE(told.ok()) << told;
  const std::string soon = this->UserWithin("20%", "50%");
  const std::string late = this->UserWithin("50%", "100%");
  this->PageFor(real, soon, "en-GB,en;q=0.8",
                fmt::format("returns at <b>50&nbsp;%</b>, about <b>{}</b>&nbsp;UTC", time));
  this->PageFor(real, soon, "de-AT", fmt::format("gegen <b>{}</b>&nbsp;Uhr (UTC)", time));
  this->PageFor(real, soon, "fr, de;q=0.7, en;q=0.3", "<html lang=\"de\">");
  this->PageFor(real, soon, "fr", "<html lang=\"en\">");
  const std::string page = this->PageFor(real, late, "en", "returns at <b>100&nbsp;%</b>. When");
  EXPECT_EQ(page.find(time), std::string::npos) << page;
  EXPECT_EQ(page.find("{{"), std::string::npos) << page;
  // Nobody is let in by what is foretold, and nobody put out.
  for (int i = 0; i < 30; ++i) {
    const std::string user = "user-" + std::to_string(i);
    const bool inside = IsAdmitted(BucketOf(user), this->Percent("20%"));
    ASSERT_EQ(real.StatusFor(user), inside ? 200 : 503) << user;
  }
}

// In whatever case, with a region, and by what each is wanted: alike at every load balancer.
TYPED_TEST_P(WaitingContract, SpeaksTheLanguageThatIsWantedMostHoweverItIsWritten) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = Share::None()});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  const std::pair<const char*, const char*> wanted[] = {
      {"DE", "de"},
      {"De-at", "de"},
      {"de-AT;q=0.9", "de"},
      {"DE-CH;Q=0.9,EN;q=0.8", "de"},
      {"de-DE,de;q=0.9,en;q=0.8", "de"},
      {"zh-Hant-TW, de-Latn-DE-1996 ; q=0.8", "de"},
      {"en;q=0.5,de;q=0.501", "de"},
      {"fr;q=1,DE;q=0.001", "de"},
      {"EN-us,de;q=0.9", "en"},
      {"en,de", "en"},
      {"de,en", "de"},
      {"de;Q=0.1,en;q=0.2", "en"},
      {"de;q=0,en;q=0.1", "en"},
      {"deutsch,den", "en"},
      {"de_AT", "en"},
      {"*", "en"}};
  for (const auto& [header, language] : wanted) {
    SCOPED_TRACE(header);
    this->PageFor(real, "user-1", header, fmt::format("<html lang=\"{}\">", language));
  }
}

TYPED_TEST_P(WaitingContract, TellsProgramsTheSame) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("20%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  const agent::Forecast forecast = this->Until50(std::chrono::minutes(30), this->WallNow());
  ASSERT_TRUE(enforcer.Foretell(forecast).ok());
  std::string body;
  const auto says = [&](const std::string& user, const std::string& awaited) {
    return Eventually([&] {
      body = real.Visit({"Accept: application/json", "Cookie: headgate_uid=" + user}).body;
      return body.find(awaited) != std::string::npos;
    });
  };
  EXPECT_TRUE(says(
      this->UserWithin("20%", "50%"),
      fmt::format(R"(,"returns_at_share":0.5,"expected_at":"{}"}})", forecast.rows[0].instant)))
      << body;
  EXPECT_TRUE(says(this->UserWithin("50%", "100%"), R"(,"returns_at_share":1})")) << body;
}

TYPED_TEST_P(WaitingContract, NeverTellsATimeThatHasRunOut) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("20%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  const std::string user = this->UserWithin("41%", "42%");
  const TimePoint before = this->WallNow() - 2 * agent::kForecastFor;
  // Told by an agent that has died since: the time is still to come, and nobody stands by it.
  const agent::Forecast stale = this->Until50(std::chrono::minutes(30), before);
  ASSERT_TRUE(enforcer.Foretell(stale).ok());
  // The place is the person's own, whoever has died.
  const std::string page = this->PageFor(
      real, user, "en", "returns at <b>42&nbsp;%</b>. When that will be is not known");
  EXPECT_EQ(page.find(stale.rows[0].time), std::string::npos) << page;
  EXPECT_TRUE(enforcer.Foretell({}).ok());
  this->PageFor(real, user, "en", "returns at <b>42&nbsp;%</b>. When that will be is not known");
  // Told before the clock was set back by an hour.
  const TimePoint ahead = this->WallNow() + std::chrono::hours(1);
  ASSERT_TRUE(enforcer.Foretell(this->Until50(std::chrono::minutes(30), ahead)).ok());
  this->PageFor(real, user, "en", "returns at <b>42&nbsp;%</b>. When that will be is not known");
}

// Envoy makes up the cookie once the page is written: it says the place from the next look on.
TYPED_TEST_P(WaitingContract, WhoComesForTheFirstTimeReadsTheirPlaceToo) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = Share::None()});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  for (int i = 0; i < 5; ++i) {
    const auto answer = real.Visit({"Accept: text/html", "Sec-Fetch-Mode: navigate"});
    EXPECT_EQ(answer.status, 503);
    const std::size_t from = answer.headers.find("headgate_uid=") + 13;
    const std::string cookie = answer.headers.substr(from, answer.headers.find(';', from) - from);
    const std::string place = fmt::format("returns at <b>{}&nbsp;%</b>. When that will be is not",
                                          agent::OwnPercent(BucketOf(cookie)));
    if constexpr (requires { TypeParam::kKnowsNoNewPlace; }) {
      EXPECT_NE(answer.body.find("When it is your turn is not known yet"), std::string::npos);
      this->PageFor(real, cookie, "en", place);
    } else {
      EXPECT_NE(answer.body.find(place), std::string::npos) << cookie << answer.body;
    }
  }
}

// Only the place was missing: in a second they look again, and are in.
TYPED_TEST_P(WaitingContract, WhoseNewPlaceIsInWaitsButASecond) {
  const TestApp app;
  const typename TypeParam::Real real({.app_port = app.port(), .share = this->Percent("50%")});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  int soon = 0, later = 0;
  for (int i = 0; i < 40; ++i) {
    const auto answer = real.Visit({"Accept: text/html", "Sec-Fetch-Mode: navigate"});
    ASSERT_EQ(answer.status, 503);
    const std::size_t from = answer.headers.find("headgate_uid=") + 13;
    const std::string cookie = answer.headers.substr(from, answer.headers.find(';', from) - from);
    const bool is_in = IsAdmitted(BucketOf(cookie), this->Percent("50%"));
    (is_in ? soon : later) += 1;
    // Envoy does not see the place that it gives.
    const bool is_told_soon = is_in || requires { TypeParam::kKnowsNoNewPlace; };
    const bool says_soon = answer.body.find("goes on by itself") != std::string::npos;
    EXPECT_EQ(says_soon, is_told_soon) << cookie << answer.body;
    EXPECT_EQ(answer.headers.find("etry-after: 1\r") != std::string::npos ||
                  answer.headers.find("etry-After: 1\r") != std::string::npos,
              is_told_soon)
        << answer.headers;
    EXPECT_EQ(answer.body.find("content=\"1\"") != std::string::npos, is_told_soon) << answer.body;
    EXPECT_EQ(real.StatusFor(cookie), is_in ? 200 : 503) << cookie;
  }
  EXPECT_GT(soon, 0);
  EXPECT_GT(later, 0);
}

TYPED_TEST_P(WaitingContract, ShowsTheOperatorsOwnPages) {
  const TempFolder folder;
  WriteFile(folder / "fr.html",
            "<!doctype html><html lang=\"fr\"><title>100% \"l'attente\"</title>"
            "{{#share}}<p>à {{share}} %{{#time}}, vers {{time}} {{zone}}{{/time}}"
            "{{^time}}, on ne sait quand{{/time}}</p>{{/share}}{{^share}}<p>?</p>{{/share}}"
            "<i>{{retry_after}}s</i>");
  WriteFile(folder / "en.html", "<!doctype html><html lang=\"en\"><p>wait</p>");
  const TestApp app;
  const typename TypeParam::Real real(
      {.app_port = app.port(),
       .share = this->Percent("20%"),
       .pages = *agent::WaitPages::Load(
           {"fr=" + (folder / "fr.html"), "en=" + (folder / "en.html")}, "fr")});
  typename TypeParam::Enforcer enforcer(real.settings());
  enforcer.Read();
  const agent::Forecast forecast = this->Until50(std::chrono::minutes(30), this->WallNow());
  ASSERT_TRUE(enforcer.Foretell(forecast).ok());
  const std::string page =
      this->PageFor(real, this->UserWithin("20%", "50%"), "de",
                    fmt::format("<p>à 50 %, vers {} UTC</p>", forecast.rows[0].time));
  EXPECT_NE(page.find("100% \"l'attente\""), std::string::npos) << page;
  EXPECT_NE(page.find("<i>1"), std::string::npos) << page;
  this->PageFor(real, this->UserWithin("50%", "100%"), "fr", "à 100 %, on ne sait quand</p>");
  this->PageFor(real, this->UserWithin("50%", "100%"), "en", "<p>wait</p>");
}

REGISTER_TYPED_TEST_SUITE_P(WaitingContract, TellsEachPersonTheirPlaceAndTimeInTheirLanguage,
                            SpeaksTheLanguageThatIsWantedMostHoweverItIsWritten,
                            TellsProgramsTheSame, NeverTellsATimeThatHasRunOut,
                            WhoComesForTheFirstTimeReadsTheirPlaceToo,
                            WhoseNewPlaceIsInWaitsButASecond, ShowsTheOperatorsOwnPages);

}  // namespace headgate::test
