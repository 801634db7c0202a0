// `headgate-agent lower` after another word on the box: it never raises.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

// What the agent makes of it: a word's share in its report, and no other in HAProxy since.
bool AgentReports(const Site& site, const char* share, bool is_ceiling) {
  return Eventually([&] {
    const v1::Report report = site.controller->report();
    return report.override().share_ppm() == Percent(share).ppm() &&
           report.override().is_ceiling() == is_ceiling &&
           report.enforced_ppm() == Percent(share).ppm();
  });
}

TEST(Lower, AHigherCeilingAfterALowerOneRaisesNobody) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"lower", "5%"}).exit_code, 0);
  ASSERT_TRUE(AgentReports(site, "5%", true));
  const Finished second = site.Run({"lower", "50%"});
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_THAT(second.standard_output, HasSubstr("HAProxy enforces 5 %"));
  EXPECT_THAT(second.standard_output, HasSubstr("a ceiling of 5 % is in force already; it stays."));
  EXPECT_THAT(second.standard_output, HasSubstr("headgate-agent override SHARE --until T"));
  // The next directive is taken with the ceiling as it was.
  site.controller->Direct(DirectiveOf(7, 2, "60%"));
  ASSERT_TRUE(Eventually([&] { return site.controller->report().version().revision() == 2; }));
  EXPECT_TRUE(AgentReports(site, "5%", true));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
  ASSERT_EQ(site.Run({"lower", "1%"}).exit_code, 0);
  EXPECT_TRUE(AgentReports(site, "1%", true));
}

TEST(Lower, HoldsWithTheAgentDeadWhenHaproxyWasChangedByHand) {
  Site site({.start_agent = false});
  ASSERT_EQ(site.Run({"lower", "5%"}).exit_code, 0);
  site.haproxy.Ask("set map " + site.haproxy.map() + " admit_w 1048576");
  const Finished second = site.Run({"lower", "50%"});
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
}

TEST(Lower, AfterAnOverrideThatAdmitsMoreItLowers) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"override", "80%", "--until", "5m"}).exit_code, 0);
  ASSERT_TRUE(AgentReports(site, "80%", false));
  const Finished lower = site.Run({"lower", "20%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("HAProxy enforces 20 %"));
  EXPECT_THAT(lower.standard_output, HasSubstr("the override of exactly 80 %"));
  EXPECT_TRUE(AgentReports(site, "20%", true));
}

TEST(Lower, SaysTheShareThatTheAgentGoesToUnderTheNewCeiling) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"override", "80%", "--until", "5m"}).exit_code, 0);
  ASSERT_TRUE(AgentReports(site, "80%", false));
  const Finished lower = site.Run({"lower", "60%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("HAProxy enforces 50 %"));
  EXPECT_TRUE(Eventually(
      [&] { return site.controller->report().override().share_ppm() == Percent("60%").ppm(); }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("50%").Width());
}

TEST(Lower, AfterAnOverrideThatAdmitsLessItStaysAndTheCeilingFollows) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"override", "5%", "--until", "12s"}).exit_code, 0);
  const Finished lower = site.Run({"lower", "20%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("HAProxy enforces 5 %"));
  EXPECT_THAT(lower.standard_output, HasSubstr("exactly 5 % is in force already"));
  EXPECT_THAT(lower.standard_output, HasSubstr("From then on no more than 20 % until"));
  EXPECT_TRUE(AgentReports(site, "5%", false));
  EXPECT_TRUE(AgentReports(site, "20%", true));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("20%").Width());
}

TEST(Lower, AnOverrideThatCannotBeReadIsReplacedByNoHigherShareThanIsFound) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_EQ(site.Run({"lower", "5%"}).exit_code, 0);
  ASSERT_TRUE(AgentReports(site, "5%", true));
  WriteFile(site.state_dir() + "/shop.override.json", "{");
  const Finished lower = site.Run({"lower", "20%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("is damaged"));
  EXPECT_THAT(lower.standard_output, HasSubstr("replaced by a ceiling of 5 %"));
  EXPECT_TRUE(AgentReports(site, "5%", true));
  site.controller->Direct(DirectiveOf(7, 2, "60%"));
  ASSERT_TRUE(Eventually([&] { return site.controller->report().version().revision() == 2; }));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("5%").Width());
}

TEST(Lower, OfSeveralAtTheSameMomentTheLowestStands) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  std::vector<std::thread> people;
  for (const char* share : {"40%", "3%", "30%", "20%"}) {
    people.emplace_back([&site, share] {
      const Finished lower = site.Run({"lower", share});
      EXPECT_EQ(lower.exit_code, 0) << share << ": " << lower.output;
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_TRUE(AgentReports(site, "3%", true));
  EXPECT_EQ(site.haproxy.WidthInMemory(), Percent("3%").Width());
}

}  // namespace
}  // namespace headgate::test
