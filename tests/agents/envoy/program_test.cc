// A newcomer's way: what docs/agents/envoy.md says, with the programs as they are installed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/bucket.h"
#include "tests/support/places.h"
#include "tests/support/test_app.h"
#include "tests/support/test_envoy.h"

namespace headgate::envoy {
namespace {

using testing::HasSubstr;

class Program : public testing::Test {
 protected:
  test::Finished Agent(std::vector<std::string> words) const {
    words.insert(words.begin(), BuiltProgram("headgate-agent"));
    return test::RunToEnd(std::move(words));
  }
};

TEST_F(Program, ALoweringOnTheBoxNeedsNoAgentAndOutlivesEnvoy) {
  HEADGATE_NEEDS_ENVOY();
  const test::TestApp app;
  test::TestEnvoy real({.app_port = app.port()});
  const std::string config = real.folder() + "/agent.yaml";
  test::WriteFile(config,
                  fmt::format("name: edge-1\ncontrollers: ['127.0.0.1:1']\nplaintext: true\n"
                              "state_dir: {}/state\ngates:\n  - name: shop\n{}",
                              real.folder(), test::AgentYaml(real.settings())));
  const test::Finished lowered = Agent({"lower", "5%", "--config", config});
  EXPECT_EQ(lowered.exit_code, 0) << lowered.output;
  EXPECT_THAT(lowered.output, HasSubstr("Envoy enforces 5 % (read back; probes got the right"));
  for (const bool is_restarted : {false, true}) {
    if (is_restarted) {
      real.Kill();
      real.Start();
    }
    for (int i = 0; i < 50; ++i) {
      const std::string user = "user-" + std::to_string(i);
      ASSERT_EQ(real.StatusFor(user), IsAdmitted(BucketOf(user), *Share::Parse("5%")) ? 200 : 503);
    }
  }
}

TEST_F(Program, TheSnippetIsWrittenOnceAndIsABootstrapThatEnvoyTakes) {
  HEADGATE_NEEDS_ENVOY();
  test::TempFolder folder;
  for (const char* key : {"cookie headgate_uid", "header X-User-Id", "client_address"}) {
    const test::Finished printed =
        Agent({"snippet", "envoy", "--gate", "my-shop", "--app-cluster", "web", "--app-cluster",
               "api", "--share", folder / "shop.yaml", "--admin", folder / "admin.sock", "--key",
               key, "--bypass", "path=/healthz", "--slow", "500ms,2s", "--write"});
    ASSERT_EQ(printed.exit_code, 0) << printed.output;
    test::WriteFile(folder / "envoy.yaml", printed.standard_output);
    const test::Finished valid =
        test::RunToEnd({test::EnvoyProgram(), "-c", folder / "envoy.yaml", "--mode", "validate"});
    EXPECT_EQ(valid.exit_code, 0) << valid.output;
  }
  EXPECT_THAT(test::ReadFile(folder / "shop.yaml"), HasSubstr("headgate.my-shop.api: \"1048576\""));
}

}  // namespace
}  // namespace headgate::envoy
