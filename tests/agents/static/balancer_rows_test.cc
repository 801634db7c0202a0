// Rows of docs/FAILING_STATIC.md in which the load balancer fails, or what lies between it and its
// agent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/agents/static/scene.h"

namespace headgate::test {
namespace {

using testing::HasSubstr;

TEST_P(FailingStatic, LoadBalancerReloaded) {
  Scene scene(GetParam());
  scene.balancer().Reload();
  scene.balancer().Reload();
  scene.ExpectStaticWithoutAGap();
  scene.ExpectReady();
  scene.ExpectMetric("stage{gate=\"shop\",stage=\"OBSERVED\"}", 1);
  scene.site().KillAgent();
  scene.balancer().Reload();
  scene.ExpectStaticWithoutAGap();
  scene.ExpectLowersOnTheBox();
}

TEST_P(FailingStatic, LoadBalancerKilledAndStarted) {
  Scene scene(GetParam());
  scene.balancer().KillAndStart();
  scene.ExpectStatic();
  scene.ExpectReady();
  scene.ExpectMetric("stage{gate=\"shop\",stage=\"OBSERVED\"}", 1);
  scene.site().KillAgent();
  scene.balancer().KillAndStart();
  scene.ExpectStatic();
  scene.ExpectLowersOnTheBox();
}

// The first half of a request: whoever has it does not end before it has the rest.
class HalfARequest {
 public:
  explicit HalfARequest(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    Say("GET / HTTP/1.1\r\nHost: shop\r\n");
  }
  ~HalfARequest() { close(fd_); }
  HalfARequest(const HalfARequest&) = delete;
  HalfARequest& operator=(const HalfARequest&) = delete;

  // The first line of what is answered.
  std::string Finish(const std::string& user) const {
    Say("Cookie: headgate_uid=" + user + "\r\nConnection: close\r\n\r\n");
    std::string answer(64, ' ');
    const ssize_t n = recv(fd_, answer.data(), answer.size(), 0);
    answer.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return answer.substr(0, answer.find('\r'));
  }

 private:
  void Say(const std::string& text) const {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  const int fd_;
};

TEST_P(FailingStatic, LoadBalancerUpgradedBesideTheOldOne) {
  Scene scene(GetParam(), {.upgradable = true});
  const HalfARequest old(scene.balancer().Port());
  scene.ExpectStatic();
  scene.balancer().UpgradeBesideTheOld();
  scene.ExpectStatic();
  scene.ExpectReady();
  scene.LetInsideGo();
  const Finished lower = scene.site().Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 0) << lower.output;
  scene.ExpectIsAtMost("5%");
  // Whom the old one has not let in before, it does not let in now.
  EXPECT_THAT(old.Finish(scene.outside()), HasSubstr(" 503"));
}

// The way to the agent that decides: who is in stays in by what was kept, and the agent knows of
// nothing.
void SpoilTheWayToTheAgent(Scene& scene, Relay::Way way) {
  // Whom the agent has refused a moment before, nginx would send the stranger's words as the page.
  const bool speaks = way == Relay::Way::kAnswersGarbage;
  if (speaks) scene.LetOutsideGo();
  scene.balancer().control().Become(way);
  if (speaks) scene.LetOutsideComeBack();
  scene.ExpectStaticWithoutAGap();
  scene.ExpectReady();
  // On the box the agent itself is asked. What it confirms holds for what is kept, too.
  scene.ExpectLowersOnTheBox();
  scene.balancer().control().Become(Relay::Way::kForwards);
  scene.ExpectIsAtMost("1%");
}

// The way between the agent and the load balancer; both go on.
void SpoilControl(Scene& scene, Relay::Way way) {
  scene.balancer().control().Become(way);
  scene.ExpectMetric("load_balancer_up", 0);
  scene.ExpectNotReady("gate shop: ");
  scene.ExpectRefusal(v1::Refusal::LOAD_BALANCER);
  scene.ExpectStaticWithoutAGap();
  // A raise is not made, and what is in force stays known.
  scene.controller().Direct(DirectiveOf(7, 2, "30%"));
  EXPECT_TRUE(Eventually([&] { return scene.controller().report().version().revision() == 2; }));
  scene.ExpectMetric("enforced_share_ratio", 0.2);
  scene.ExpectStaticWithoutAGap();
}

void ExpectLowersByTheFile(Scene& scene) {
  scene.LetInsideGo();
  const Finished lower = scene.site().Run({"lower", "5%"});
  EXPECT_EQ(lower.exit_code, 11) << lower.output;
  EXPECT_THAT(lower.standard_output, HasSubstr("NOT CONFIRMED"));
  EXPECT_THAT(lower.standard_output, HasSubstr("its file says 5 %"));
  if (!scene.balancer().FollowsItsFile()) scene.balancer().Reload();
  scene.ExpectIsAtMost("5%");
  scene.balancer().control().Become(Relay::Way::kForwards);
  scene.ExpectMetric("load_balancer_up", 1);
  scene.ExpectMetric("overridden", 1);
  scene.ExpectMetric("enforced_share_ratio", 0.05);
  scene.ExpectReady();
}

void ExpectStaticWithoutControl(const Kind& kind, Relay::Way way) {
  Scene scene(kind);
  if (scene.balancer().IsDecidedByItsAgent()) return SpoilTheWayToTheAgent(scene, way);
  SpoilControl(scene, way);
  ExpectLowersByTheFile(scene);
}

TEST_P(FailingStatic, ControlHangs) { ExpectStaticWithoutControl(GetParam(), Relay::Way::kHangs); }

TEST_P(FailingStatic, ControlAnswersGarbage) {
  ExpectStaticWithoutControl(GetParam(), Relay::Way::kAnswersGarbage);
}

TEST_P(FailingStatic, ControlAnswersNothing) {
  ExpectStaticWithoutControl(GetParam(), Relay::Way::kAnswersNothing);
}

void ExpectStaticOverAStep(const Kind& kind, std::chrono::seconds day) {
  SteppedClock clock;
  Scene scene(kind, {.clock = &clock});
  const std::int64_t before = scene.balancer().UnixSeconds();
  const bool drops = scene.balancer().DropsRequestsOverAStep();
  if (drops) scene.LetInsideGo();
  clock.Set(day);
  EXPECT_TRUE(Eventually([&] {
    return std::abs(scene.balancer().UnixSeconds() - before - day.count()) < 3600;
  })) << scene.balancer().UnixSeconds();
  if (drops) scene.LetInsideComeBack();
  drops ? scene.ExpectStatic() : scene.ExpectStaticWithoutAGap();
  scene.ExpectReady();
  scene.ExpectLowersOnTheBox();
  if (scene.balancer().IsDecidedByItsAgent()) return;
  // By the file, too.
  scene.balancer().control().Become(Relay::Way::kHangs);
  scene.site().KillAgent();
  EXPECT_EQ(scene.site().Run({"lower", "0.5%"}).exit_code, 11);
  if (!scene.balancer().FollowsItsFile()) scene.balancer().Reload();
  scene.ExpectIsAtMost("0.5%");
}

TEST_P(FailingStatic, ClockSteppedForwardByADay) {
  ExpectStaticOverAStep(GetParam(), std::chrono::hours(24));
}

TEST_P(FailingStatic, ClockSteppedBackByADay) {
  ExpectStaticOverAStep(GetParam(), std::chrono::hours(-24));
}

}  // namespace
}  // namespace headgate::test
