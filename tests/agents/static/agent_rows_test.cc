// Rows of docs/FAILING_STATIC.md in which the agent fails, its controller, or what it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/agents/static/scene.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

TEST_P(FailingStatic, AgentKilled) {
  Scene scene(GetParam());
  scene.site().KillAgent();
  scene.ExpectStaticWithoutAGap();
  EXPECT_EQ(scene.site().Page("/readyz").status, 0);
  EXPECT_THAT(scene.site().Run({"status"}).standard_output, HasSubstr("agent       not running"));
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, AgentHung) {
  Scene scene(GetParam());
  scene.site().agent->Signal(SIGSTOP);
  scene.ExpectStaticWithoutAGap();
  EXPECT_THAT(scene.site().Run({"status"}).standard_output, HasSubstr("stopped, it does nothing"));
  scene.ExpectLowersOnTheBox();
  scene.site().agent->Signal(SIGCONT);
  scene.ExpectMetric("overridden", 1);
  scene.ExpectMetric("enforced_share_ratio", 0.01);
}

TEST_P(FailingStatic, AgentRestartedWithoutAController) {
  Scene scene(GetParam());
  scene.site().StopController();
  scene.site().KillAgent();
  scene.site().StartAgent();
  scene.ExpectNotReady("no controller has renewed version 7.1: 20 % is kept and never raised");
  scene.ExpectMetric("expired", 1);
  scene.ExpectMetric("connected", 0);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, ControllerGone) {
  Scene scene(GetParam(), {.site = {.valid_for = std::chrono::milliseconds(1500)}});
  scene.site().StopController();
  scene.ExpectNotReady("no controller has renewed version 7.1: 20 % is kept and never raised");
  scene.ExpectMetric("expired", 1);
  scene.ExpectMetric("connected", 0);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, DirectiveOfAnOlderEpoch) {
  Scene scene(GetParam());
  scene.controller().Direct(DirectiveOf(6, 99, "100%"));
  scene.ExpectNotReady("directive 6.99 is of an older reign than 7.1");
  scene.ExpectMetric("stage{gate=\"shop\",stage=\"REFUSED\"}", 1);
  scene.ExpectRefusal(v1::Refusal::STALE_EPOCH);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, DirectiveThatDoesNotFitItsDigest) {
  Scene scene(GetParam());
  scene.controller().Direct(DirectiveOf(7, 1, "90%"));
  scene.ExpectNotReady("directive 7.1 says 90 % where the same version said 20 % before");
  scene.ExpectRefusal(v1::Refusal::DIGEST_MISMATCH);
  scene.controller().DirectWithDigest(DirectiveOf(7, 2, "90%"), 1);
  scene.ExpectNotReady("directive 7.2 does not fit its digest");
  scene.ExpectRefusal(v1::Refusal::CORRUPT);
  scene.ExpectMetric("stage{gate=\"shop\",stage=\"REFUSED\"}", 1);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, ShareBeyondTheRails) {
  // Its first step, to 20 %, is one down.
  Scene scene(GetParam(), {.site = {.more_config = "rails: {step_up_max: 10%}\n"}});
  scene.controller().Direct(DirectiveOf(7, 2, "31%"));
  scene.ExpectNotReady("from 20 % to 31 % is more than the largest step up, 10 %");
  scene.ExpectRefusal(v1::Refusal::RAIL);
  scene.ExpectMetric("stage{gate=\"shop\",stage=\"REFUSED\"}", 1);
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

}  // namespace
}  // namespace headgate::test
