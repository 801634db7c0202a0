// A HAProxy that serves while its stats socket hangs: what the agent says, and what a lowering on
// the box says to whoever types it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/main/site.h"
#include "tests/support/relay.h"

namespace headgate::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class HungSocket : public testing::Test {
 protected:
  HungSocket() {
    site_.StartAgent();
    site_.DirectAndWait(7, 1, "50%");
    relay_.Become(Relay::Way::kHangs);
    EXPECT_TRUE(Eventually([&] { return Metric("load_balancer_up") == " 0"; }));
    // At first it may be said of a question that the relay cut off.
    EXPECT_TRUE(Eventually(
        [&] { return site_.Page("/readyz").body.find("it hangs") != std::string::npos; }));
  }
  static std::string Yaml(const TestHaproxy& haproxy) {
    haproxy::Settings settings = haproxy.settings();
    settings.socket = haproxy.folder() + "/agent.sock";
    return AgentYaml(settings);
  }
  // What stands behind the name.
  std::string Metric(const std::string& name) const {
    const std::string page = site_.Page("/metrics").body;
    const std::string start = "headgate_local_" + name + "{gate=\"shop\"}";
    const std::size_t at = page.find(start);
    if (at == std::string::npos) return "";
    return page.substr(at + start.size(), page.find('\n', at) - at - start.size());
  }

  TestApp app_;
  TestHaproxy haproxy_{{.app_port = app_.port(), .share = Percent("50%")}};
  Relay relay_{haproxy_.folder() + "/agent.sock", haproxy_.settings().socket};
  AgentSite site_{{}, Yaml(haproxy_)};
};

TEST_F(HungSocket, StatusMetricsAndReadinessSayWhatHangsWhatHoldsAndWhatToType) {
  const auto words = AllOf(HasSubstr("agent.sock does not answer in time: it hangs"),
                           HasSubstr("what it enforces stays"),
                           HasSubstr("`systemctl reload haproxy` puts in force"));
  EXPECT_EQ(Metric("enforced_share_ratio"), " 0.5");
  const HttpAnswer ready = site_.Page("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, words);
  const Finished status = site_.Run({"status"});
  EXPECT_EQ(status.exit_code, 12) << status.output;
  EXPECT_THAT(status.standard_output,
              AllOf(HasSubstr("HAProxy cannot be asked"), HasSubstr("50 % after a reload"), words));
}

TEST_F(HungSocket, ALoweringSaysWhatToTypeAfterThreeQuestions) {
  site_.KillAgent();
  const int before = relay_.connections();
  const Finished lower = site_.Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 11) << lower.output;
  EXPECT_THAT(lower.standard_output,
              AllOf(HasSubstr("NOT CONFIRMED"), HasSubstr("it hangs"),
                    HasSubstr("its file says 5 %"), HasSubstr("type `systemctl reload haproxy`")));
  // Each waits for as long as the socket's patience: 1.2 s in all.
  EXPECT_LE(relay_.connections() - before, 3);
  EXPECT_EQ(haproxy_.WidthInMemory(), Percent("50%").Width());
  haproxy_.Reload();
  EXPECT_EQ(haproxy_.WidthInMemory(), Percent("5%").Width());
}

TEST_F(HungSocket, ALowerCeilingOfBeforeStandsAndIsInTheFile) {
  site_.KillAgent();
  EXPECT_EQ(site_.Run({"lower", "5%"}).exit_code, 11);
  EXPECT_EQ(site_.Run({"lower", "20%"}).exit_code, 11);
  haproxy_.Reload();
  EXPECT_EQ(haproxy_.WidthInMemory(), Percent("5%").Width());
}

TEST_F(HungSocket, OnceItAnswersAgainTheWordIsInForce) {
  EXPECT_EQ(site_.Run({"lower", "5%"}).exit_code, 11);
  relay_.Become(Relay::Way::kForwards);
  EXPECT_TRUE(Eventually([&] { return haproxy_.WidthInMemory() == Percent("5%").Width(); }));
  EXPECT_TRUE(Eventually([&] { return site_.Page("/readyz").status == 200; }))
      << site_.Page("/readyz").body;
}

}  // namespace
}  // namespace headgate::test
