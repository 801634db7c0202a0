// The files that HAProxy starts with, damaged with the agent alive, dead, without a controller, and
// with HAProxy dead: it starts again, and never at more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agents/core/cookie.h"
#include "agents/core/forecast.h"
#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

class MendedFiles : public testing::Test {
 protected:
  bool Starts() const {
    return RunToEnd({"haproxy", "-c", "-f", site_.haproxy.config()}).exit_code == 0;
  }
  void DamageAll() const {
    WriteFile(site_.haproxy.map(), "admit_w 1.5\n");
    WriteFile(agent::ForecastFileOf(site_.haproxy.map()), "garbage\n");
    std::filesystem::remove(agent::CookieKeysFileOf(site_.haproxy.map()));
  }
  bool MapSays(const char* share) const {
    return ReadFile(site_.haproxy.map())
               .find("admit_w " + std::to_string(Percent(share).Width()) + "\n") !=
           std::string::npos;
  }
  void ExpectStartsAt(const char* share) {
    EXPECT_TRUE(Eventually([&] { return Starts(); }));
    EXPECT_TRUE(MapSays(share)) << ReadFile(site_.haproxy.map());
    site_.haproxy.Start();
    EXPECT_EQ(site_.haproxy.WidthInMemory(), Percent(share).Width());
  }

  Site site_{{.start_agent = false}};
};

// Without an agent, which mends them faster than HAProxy can be asked.
TEST_F(MendedFiles, WithoutAnAgentHaproxyDoesNotStartWithThem) {
  EXPECT_TRUE(Starts());
  DamageAll();
  EXPECT_FALSE(Starts());
}

TEST_F(MendedFiles, WithHaproxyDeadTheyAreMendedSoThatItCanStart) {
  site_.StartAgent();
  site_.DirectAndWait(7, 1, "20%");
  site_.haproxy.Stop();
  DamageAll();
  ExpectStartsAt("20%");
}

TEST_F(MendedFiles, WithHaproxyDeadAnEmptyMapIsMendedSoThatItsUsersStay) {
  site_.StartAgent();
  site_.DirectAndWait(7, 1, "20%");
  site_.haproxy.Stop();
  WriteFile(site_.haproxy.map(), "");
  EXPECT_TRUE(Eventually([&] { return MapSays("20%"); }));
  ExpectStartsAt("20%");
}

TEST_F(MendedFiles, AnAgentThatStartsWithoutAControllerMendsThemByItsOwnState) {
  site_.StartAgent();
  site_.DirectAndWait(7, 1, "20%");
  ASSERT_EQ(site_.Run({"lower", "5%"}).exit_code, 0);
  site_.StopController();
  site_.KillAgent();
  site_.haproxy.Stop();
  DamageAll();
  site_.StartAgent();
  ExpectStartsAt("5%");
}

TEST_F(MendedFiles, BeforeTheGateExistsTheMapIsMadeOfWhatIsInForce) {
  site_.StartAgent();
  ASSERT_TRUE(Eventually([&] { return site_.controller->report().stage() == v1::IDLE; }));
  DamageAll();
  EXPECT_TRUE(Eventually([&] { return Starts() && MapSays("100%"); }));
  EXPECT_EQ(site_.controller->report().stage(), v1::IDLE);
}

TEST_F(MendedFiles, BeforeTheGateExistsNobodyGuessesForAHaproxyThatIsDead) {
  site_.haproxy.Stop();
  WriteFile(site_.haproxy.map(), "admit_w 1.5\n");
  site_.StartAgent();
  EXPECT_TRUE(Eventually([&] {
    return site_.Page("/readyz").body.find("HAProxy would not start with it") != std::string::npos;
  })) << site_.Page("/readyz").body;
  EXPECT_FALSE(Starts());
  // A word of a person's is enough.
  EXPECT_EQ(site_.Run({"lower", "50%"}).exit_code, 11);
  ExpectStartsAt("50%");
}

TEST_F(MendedFiles, KeysThatAreDamagedWhileHaproxyIsDeadAreThereBeforeItStarts) {
  site_.StartAgent();
  Directive directive = DirectiveOf(7, 1, "20%");
  directive.cookie_keys = {.issuing = 5, .keys = {{5, std::string(32, 'a')}}};
  site_.controller->Direct(directive);
  ASSERT_TRUE(Eventually([&] { return site_.controller->report().stage() == v1::OBSERVED; }));
  const std::string path = agent::CookieKeysFileOf(site_.haproxy.map());
  const std::string sound = ReadFile(path);
  ASSERT_THAT(sound, HasSubstr("issue 5"));
  site_.haproxy.Stop();
  for (const std::string& text : {sound.substr(0, sound.size() - 20), std::string("garbage\n")}) {
    WriteFile(path, text);
    EXPECT_TRUE(Eventually([&] { return ReadFile(path) == sound; }));
  }
  std::filesystem::remove(path);
  EXPECT_TRUE(Eventually([&] { return std::filesystem::exists(path) && ReadFile(path) == sound; }));
  site_.haproxy.Start();
  EXPECT_TRUE(Eventually([&] { return site_.Page("/readyz").status == 200; }))
      << site_.Page("/readyz").body;
}

TEST_F(MendedFiles, CheckNamesAForecastThatHaproxyMayNotStartWith) {
  WriteFile(agent::ForecastFileOf(site_.haproxy.map()), "garbage\n");
  const Finished check = site_.Run({"check"});
  EXPECT_EQ(check.exit_code, 3);
  EXPECT_THAT(check.standard_output, HasSubstr("says what HAProxy may not start with"));
}

}  // namespace
}  // namespace headgate::test
