// Which contents of the gate's files keep a real HAProxy from starting, and that they are mended.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agents/core/cookie.h"
#include "agents/core/forecast.h"
#include "agents/haproxy/haproxy.h"
#include "tests/support/test_app.h"
#include "tests/support/test_haproxy.h"

namespace headgate::haproxy {
namespace {

using test::TestApp;
using test::TestHaproxy;
using testing::HasSubstr;

constexpr char kRow[] = "104858:524287 50|18:25|CEST|0.5|2024-08-14T16:25:00Z|4102444800\n";
const CookieKeys kKeys{.issuing = 5, .keys = {{5, std::string(32, 'a')}}};

struct Files : testing::Test {
  bool Starts() const {
    return test::RunToEnd({"haproxy", "-c", "-f", haproxy.config()}).exit_code == 0;
  }
  std::string forecast() const { return agent::ForecastFileOf(haproxy.map()); }
  std::string keys() const { return agent::CookieKeysFileOf(haproxy.map()); }

  const TestApp app;
  TestHaproxy haproxy{{.app_port = app.port(), .share = *Share::Parse("20%")}};
};

TEST_F(Files, AForecastThatStopsHaproxyIsMendedWithHaproxyDeadOrAlive) {
  Haproxy enforcer(haproxy.settings());
  const std::string sound = test::ReadFile(forecast());
  for (const std::string& text :
       {std::string("garbage\n"), std::string("\x01\xff\xfe\n"), std::string(kRow, 10),
        std::string("500:100 50|-|-|0.5|-|1\n"), std::string("-1:5 x\n"),
        std::string("99999999999999999999:5 x\n"), "#" + std::string(90'000, 'x')}) {
    test::WriteFile(forecast(), text);
    EXPECT_FALSE(Starts()) << text;
    EXPECT_TRUE(enforcer.MendFiles().ok());
    EXPECT_TRUE(Starts()) << text;
    EXPECT_EQ(test::ReadFile(forecast()), sound);
  }
  haproxy.Stop();
  for (const std::string& path : {forecast(), keys()}) {
    std::filesystem::remove(path);
    EXPECT_FALSE(Starts()) << path;
    EXPECT_TRUE(enforcer.MendFiles().ok());
    EXPECT_TRUE(Starts()) << path;
  }
}

TEST_F(Files, WhatDoesNotStopHaproxySaysNothingOfAReturn) {
  for (const std::string& text :
       {std::string(), std::string("\n\n"), std::string(100, '\0'), std::string("104858:"),
        std::string("524288\n"), std::string(kRow, 20), std::string(kRow, 45), std::string(kRow)}) {
    test::WriteFile(forecast(), text);
    ASSERT_TRUE(Starts()) << text;
    haproxy.Reload();
    for (int i = 0; i < 20; ++i) {
      const test::HttpAnswer page =
          haproxy.Get("/", {"Accept: text/html", fmt::format("Cookie: headgate_uid=u{}", i)});
      EXPECT_THAT(page.body, testing::Not(HasSubstr("about <b>"))) << text;
      EXPECT_EQ(page.body.find("is not known yet.") != std::string::npos, page.status == 503)
          << text;
    }
  }
}

TEST_F(Files, WhatIsForetoldStaysOutOfTheFileThatHaproxyStartsWith) {
  Haproxy enforcer(haproxy.settings());
  const std::string sound = test::ReadFile(forecast());
  const TimePoint now = SteadyClock().WallNow();
  ASSERT_TRUE(enforcer
                  .Foretell(agent::ForecastOf({{{Share::All(), now + std::chrono::minutes(30)}}},
                                              *Share::Parse("20%"), "UTC", now))
                  .ok());
  EXPECT_EQ(test::ReadFile(forecast()), sound);
}

TEST_F(Files, KeysNeverStopHaproxyAndAreMendedByWhatItsMemoryKnows) {
  Haproxy enforcer(haproxy.settings());
  ASSERT_TRUE(enforcer.PutCookieKeys(kKeys).ok());
  const std::string sound = test::ReadFile(keys());
  for (const std::string& text :
       {std::string("garbage\n"), std::string("\x01\xff\n"), sound.substr(0, sound.size() - 20),
        std::string("issue x\n"), std::string()}) {
    test::WriteFile(keys(), text);
    EXPECT_TRUE(Starts()) << text;
    EXPECT_TRUE(enforcer.MendFiles().ok());
    EXPECT_EQ(test::ReadFile(keys()), sound) << text;
  }
}

TEST_F(Files, AMapThatStopsHaproxyIsNamedByTheReading) {
  Haproxy enforcer(haproxy.settings());
  for (const char* text : {"admit_w 1.5\n", "admit_w 0x5\n", "admit_w 12 34\n", "some words\n"}) {
    test::WriteFile(haproxy.map(), text);
    EXPECT_FALSE(Starts()) << text;
    const agent::Reading reading = enforcer.Read();
    EXPECT_FALSE(reading.at_next_start.has_value()) << text;
    EXPECT_THAT(reading.trouble, HasSubstr("HAProxy would not start with it")) << text;
    EXPECT_EQ(reading.in_force, *Share::Parse("20%"));
  }
}

TEST_F(Files, AFileThatCannotBeMendedIsSaid) {
  Haproxy enforcer(haproxy.settings());
  std::filesystem::remove(forecast());
  std::filesystem::create_directory(forecast());
  EXPECT_THAT(std::string(enforcer.MendFiles().message()), HasSubstr(forecast()));
}

}  // namespace
}  // namespace headgate::haproxy
