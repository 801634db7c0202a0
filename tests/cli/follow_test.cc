// `watch` and `start --wait`: to the end, across restarts, and away with Ctrl-C.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/caller.h"
#include "tests/cli/fake_controller.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kPlan[] =
    "gate: shop\npreflight: {agents: [edge-1], ready_for: 0s}\nchecks:\n"
    "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n";

class Following : public testing::Test {
 protected:
  Following() {
    controller_.Change("shop", [](v1::Gate& gate) {
      gate.set_recorded(true);
      AddAgent(gate, "edge-1");
    });
  }

  std::future<Said> Begin(std::vector<std::string> words) {
    return std::async(std::launch::async,
                      [this, words = std::move(words)] { return caller_.Type(words, kPlan); });
  }
  std::future<Said> Start(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"start", "-", "--wait"});
    std::future<Said> said = Begin(std::move(more));
    controller_.WaitForStreams(1);
    return said;
  }
  void SetPhase(v1::Phase phase, std::uint32_t share_ppm) {
    controller_.Change("shop", [&](v1::Gate& gate) {
      gate.set_share_ppm(share_ppm);
      gate.mutable_restoration()->set_phase(phase);
    });
  }

  FakeController controller_;
  Caller caller_{controller_.address()};
};

TEST_F(Following, StartWaitFollowsToTheEndOneLineForEachChange) {
  std::future<Said> start = Start();
  SetPhase(v1::PHASE_COMPLETED, 1'000'000);
  const Said said = start.get();
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("shop-1 started\n"), HasSubstr("shop-1 COMPLETED")));
  EXPECT_THAT(said.err, HasSubstr("shop-1 is COMPLETED: shop admits 100 %"));
}

class Ends : public Following, public testing::WithParamInterface<std::pair<v1::Phase, int>> {};

TEST_P(Ends, HaveTheirExitCodes) {
  std::future<Said> start = Start();
  SetPhase(GetParam().first, 50'000);
  EXPECT_EQ(start.get().code, GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(Phases, Ends,
                         testing::Values(std::pair(v1::PHASE_ABORTED, 9),
                                         std::pair(v1::PHASE_FAILED, 9),
                                         std::pair(v1::PHASE_WAITING_FOR_APPROVAL, 10)));

TEST_F(Following, TheTimeoutLeavesTheRestorationAlone) {
  const Said said = Start({"--timeout", "300ms"}).get();
  EXPECT_EQ(said.code, 8) << said.err;
  EXPECT_THAT(said.err, HasSubstr("the restoration goes on"));
}

TEST_F(Following, TheTimeoutHoldsInPreflightToo) {
  controller_.HangMutations();
  const Said said = caller_.Type({"start", "-", "--wait", "--timeout", "300ms"}, kPlan);
  EXPECT_EQ(said.code, 8) << said.err;
  EXPECT_THAT(said.err, HasSubstr("--timeout passed in preflight: the restoration goes on"));
  EXPECT_EQ(controller_.gate("shop").restoration().phase(), v1::PHASE_PREFLIGHT);
  const Said json =
      caller_.Type({"start", "-", "--wait", "--timeout", "300ms", "-o", "json"}, kPlan);
  EXPECT_EQ(json.code, 8);
  EXPECT_THAT(json.out, HasSubstr("\"phase\": \"PHASE_PREFLIGHT\""));
}

TEST_F(Following, CtrlCDetachesAndSaysThatTheRestorationGoesOn) {
  std::future<Said> start = Start();
  caller_.interrupt.Raise();
  const Said said = start.get();
  EXPECT_EQ(said.code, 130);
  EXPECT_THAT(said.err, AllOf(HasSubstr("detached: the restoration goes on"),
                              HasSubstr("headgate hold shop")));
}

TEST_F(Following, AControllersRestartIsSaidAndBridged) {
  std::future<Said> start = Start();
  controller_.Kill();
  controller_.Start();
  controller_.WaitForStreams(2);
  SetPhase(v1::PHASE_COMPLETED, 1'000'000);
  const Said said = start.get();
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("no word from the controller"),
                              HasSubstr("the controller answers again")));
}

TEST_F(Following, WithoutAControllerAtTheTimeoutItCouldNotTell) {
  std::future<Said> start = Start({"--timeout", "1s"});
  controller_.Kill();
  const Said said = start.get();
  EXPECT_EQ(said.code, 12) << said.err;
}

TEST_F(Following, AControllerThatFallsSilentIsLookedForAnew) {
  std::future<Said> start = Start();
  controller_.HangStreams();
  controller_.WaitForStreams(2);
  controller_.Kill();
  controller_.Start();
  controller_.WaitForStreams(3);
  SetPhase(v1::PHASE_COMPLETED, 1'000'000);
  const Said said = start.get();
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("silent for 3."));
}

TEST_F(Following, JsonIsTheLastGateAndTheLinesGoToStandardError) {
  std::future<Said> start = Start({"-o", "json"});
  SetPhase(v1::PHASE_COMPLETED, 1'000'000);
  const Said said = start.get();
  EXPECT_EQ(said.out.front(), '{');
  EXPECT_THAT(said.out, HasSubstr("\"phase\": \"PHASE_COMPLETED\""));
  EXPECT_THAT(said.err, HasSubstr("shop-1 COMPLETED"));
}

TEST_F(Following, WatchDrawsOnATerminalAndLeavesWithCtrlC) {
  controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  caller_.is_live = true;
  std::future<Said> watch = Begin({"watch", "shop", "--timeout", "300ms"});
  const Said said = watch.get();
  EXPECT_EQ(said.code, 8);
  EXPECT_THAT(said.out, AllOf(HasSubstr("\x1b[2J\x1b[H"), HasSubstr("desired    ####"),
                              HasSubstr("Ctrl-C leaves; the restoration goes on")));
}

TEST_F(Following, WithoutAControllerThePictureSaysEverySecondForHowLong) {
  controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  caller_.is_live = true;
  std::future<Said> watch = Begin({"watch", "shop", "--timeout", "4s"});
  caller_.WaitForOut("desired");
  controller_.Kill();
  const Said said = watch.get();
  EXPECT_EQ(said.code, 12);
  int banners = 0;
  for (std::size_t at = 0;
       (at = said.out.find("NO WORD FROM THE CONTROLLER for", at)) != std::string::npos; ++at) {
    ++banners;
  }
  EXPECT_GE(banners, 3) << said.out;
}

TEST_F(Following, WatchWaitEndsWithTheRestorationThatItFoundThere) {
  EXPECT_EQ(caller_.Type({"watch", "shop", "--wait"}).code, 4);
  controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  std::future<Said> watch = Begin({"watch", "shop", "--wait"});
  controller_.WaitForStreams(2);
  SetPhase(v1::PHASE_ABORTED, 0);
  EXPECT_EQ(watch.get().code, 9);
  EXPECT_EQ(caller_.Type({"watch", "nowhere"}).code, 4);
}

}  // namespace
}  // namespace headgate::cli
