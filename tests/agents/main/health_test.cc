// `headgate-agent doctor`, which a container's health check asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

TEST(Doctor, FindsAnAgentThatObeysWell) {
  Site site;
  site.DirectAndWait(7, 1, "50%");
  ASSERT_TRUE(Eventually([&] { return site.Page("/readyz").status == 200; }));
  const Finished doctor = site.Run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.output;
  EXPECT_THAT(doctor.standard_output, HasSubstr("alive: yes\nready: yes"));
}

TEST(Doctor, AnAgentThatWaitsForItsControllerLives) {
  Site site;
  site.StopController();
  ASSERT_TRUE(Eventually([&] { return site.Page("/readyz").status == 503; }));
  EXPECT_EQ(site.Run({"doctor"}).exit_code, 3);
  const Finished live = site.Run({"doctor", "--live"});
  EXPECT_EQ(live.exit_code, 0) << live.output;
  EXPECT_THAT(live.standard_output, HasSubstr("ready: "));
}

TEST(Doctor, FindsAnAgentThatHangsOrIsGone) {
  Site site;
  ASSERT_TRUE(Eventually([&] { return site.Page("/livez").status == 200; }));
  site.agent->Signal(SIGSTOP);
  const Finished hung = site.Run({"doctor", "--live"});
  EXPECT_EQ(hung.exit_code, 3);
  EXPECT_THAT(hung.standard_output, HasSubstr("stopped, it does nothing"));
  site.KillAgent();
  const Finished dead = site.Run({"doctor", "--live"});
  EXPECT_EQ(dead.exit_code, 3);
  EXPECT_THAT(dead.standard_output, HasSubstr("not running"));
}

}  // namespace
}  // namespace headgate::test
