// What `check` and `status` say of the controllers.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "agents/main/pages.h"
#include "tests/agents/main/silent_peer.h"
#include "tests/agents/main/site.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Controllers, CheckEndsNoSessionOfARunningAgent) {
  Site site;
  site.DirectAndWait(7, 1, "20%");
  const Finished check = site.Run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.output;
  EXPECT_THAT(check.standard_output, HasSubstr(": ok"));
  EXPECT_EQ(site.controller->sessions(), 1);
  EXPECT_EQ(site.Page("/readyz").status, 200);
}

TEST(Controllers, OneThatCannotBeReachedIsAFindingUnlessAnotherAnswers) {
  Site site({.start_agent = false});
  std::string text = site.ConfigText("");
  text.replace(text.find("controllers: ["), 14, "controllers: ['127.0.0.1:1', ");
  site.WriteConfig(text);
  const Finished one = site.Run({"check"});
  EXPECT_EQ(one.exit_code, 0) << one.output;
  EXPECT_THAT(one.standard_output,
              HasSubstr("warning: controller 127.0.0.1:1: nobody listens there"));
  EXPECT_THAT(one.standard_output, HasSubstr("All is well"));
  site.StopController();
  const Finished none = site.Run({"check"});
  EXPECT_EQ(none.exit_code, 3) << none.output;
  EXPECT_THAT(none.standard_output, Not(HasSubstr("warning")));
  EXPECT_THAT(none.standard_output, HasSubstr("controller 127.0.0.1:1: nobody listens there"));
}

TEST(Controllers, StatusTellsWhetherOneIsConnectedAndSinceWhenTheRenewalIsOverdue) {
  Site site({.valid_for = std::chrono::milliseconds(1500)});
  site.DirectAndWait(7, 1, "20%");
  EXPECT_THAT(site.Run({"status"}).standard_output, HasSubstr("controller  connected\n"));
  site.StopController();
  EXPECT_TRUE(Eventually([&] {
    const std::string said = site.Run({"status"}).standard_output;
    return said.find("controller  none is connected") != std::string::npos &&
           said.find("renewal     overdue since ") != std::string::npos;
  })) << site.Run({"status"}).output;
  const Finished json = site.Run({"status", "-o", "json"});
  EXPECT_THAT(json.standard_output, HasSubstr("\"controller_connected\": false"));
  EXPECT_THAT(json.standard_output, HasSubstr("\"renewal_overdue_s\": "));
  site.KillAgent();
  EXPECT_THAT(site.Run({"status"}).standard_output, Not(HasSubstr("controller")));
}

TEST(Controllers, StatusSaysWhyItCannotTell) {
  Site site;
  site.DirectAndWait(7, 1, "20%");
  site.agent->Signal(SIGSTOP);
  EXPECT_THAT(site.Run({"status"}).standard_output, HasSubstr("does not answer"));
  site.agent->Signal(SIGCONT);
  std::string text = site.ConfigText("");
  const std::size_t at = text.find("metrics:");
  site.WriteConfig(text.erase(at, text.find('\n', at) + 1 - at));
  EXPECT_THAT(site.Run({"status"}).standard_output,
              HasSubstr("controller  unknown: agent.yaml names no listener"));
}

// Where a thousand agents come back at once, settings come late, and connections that nobody closes
// would be the controller's memory.
TEST(Controllers, AnAttemptThatIsGivenUpIsClosedThoughItIsAnsweredLater) {
  SilentPeer silent;
  Site site({.start_agent = false});
  std::string text = site.ConfigText("");
  const std::size_t at = text.find("controllers: [");
  text.replace(at, text.find(']', at) - at, "controllers: ['" + silent.address() + "'");
  site.WriteConfig(text);
  site.StartAgent();
  const int given_up = silent.Take();
  ASSERT_GE(given_up, 0);
  ASSERT_GE(silent.Take(), 0);
  constexpr unsigned char kEmptySettings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
  send(given_up, kEmptySettings, sizeof kEmptySettings, MSG_NOSIGNAL);
  EXPECT_TRUE(Eventually([&] {
    char said[4096];
    const ssize_t got = recv(given_up, said, sizeof said, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }));
}

TEST(Pages, AreReadAsTheAgentWritesThem) {
  const auto pages = agent::ParsePages(
      "# TYPE headgate_local_connected gauge\nheadgate_local_connected 1\n"
      "headgate_local_overdue_seconds{gate=\"bank\"} 0\n"
      "headgate_local_overdue_seconds{gate=\"shop\"} 12.7\n");
  ASSERT_TRUE(pages.ok()) << pages.status();
  EXPECT_TRUE(pages->is_connected);
  EXPECT_THAT(pages->overdue,
              testing::ElementsAre(testing::Pair("shop", std::chrono::seconds(12))));
  EXPECT_FALSE(agent::ParsePages("headgate_share_ratio 1\n").ok());
}

}  // namespace
}  // namespace headgate::test
