// Load balancers that have not confirmed an order: who they are, and what to type there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class Unconfirmed : public testing::Test {
 protected:
  Unconfirmed() {
    controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  }

  FakeController controller_;
  Caller caller_{controller_.address()};
};

TEST_F(Unconfirmed, EachUnconfirmedLoadBalancerIsNamedWithWhatToTypeThere) {
  controller_.Disobey("edge-2", "not connected for 41 s");
  controller_.Change("shop", [](v1::Gate& gate) { gate.mutable_agents(1)->set_connected(false); });
  for (const auto& [words, share] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"hold", "shop"}, "25%"},
           {{"retreat", "shop", "--to", "2.5%"}, "2.5%"},
           {{"abort", "shop"}, "2.5%"},
           {{"close", "shop"}, "0%"}}) {
    const Said said = caller_.Type(words);
    EXPECT_EQ(said.code, 11) << words[0];
    EXPECT_THAT(said.err, AllOf(HasSubstr("1 of 2 load balancers has NOT confirmed"),
                                HasSubstr("edge-2: not connected for 41 s"),
                                HasSubstr("headgate-agent lower " + share + " --gate shop")));
  }
}

TEST_F(Unconfirmed, CloseSaysOnlyWhatIsTrueOfLoadBalancersThatHaveNotConfirmed) {
  controller_.Disobey("edge-2", "still enforces 25 % (has not answered the order yet)");
  const Said said = caller_.Type({"close", "shop"});
  EXPECT_EQ(said.code, 11);
  EXPECT_EQ(said.out, "gate shop is closed at the controller, NOT on every load balancer\n");
  EXPECT_EQ(said.err,
            "1 of 2 load balancers has NOT confirmed and may still let users in:\n"
            "  edge-2: still enforces 25 % (has not answered the order yet)\n"
            "On each of them, as root: headgate-agent lower 0% --gate shop\n");
  const Said json = caller_.Type({"close", "shop", "-o", "json"});
  EXPECT_EQ(json.code, 11);
  EXPECT_THAT(json.out, HasSubstr("\"summary\": \"gate shop is closed at the controller, NOT"));
  EXPECT_THAT(caller_.Type({"hold", "shop"}).err, HasSubstr("may still let in more than 0 %:"));
}

TEST_F(Unconfirmed, WhoLetsInNoMoreByAWordOnItsBoxIsNoDangerThoughItHasNotConfirmed) {
  controller_.Disobey("edge-2", "a local override holds it at 0 % until it is released there");
  controller_.Change("shop", [](v1::Gate& gate) {
    v1::Report& report = *gate.mutable_agents(1)->mutable_report();
    report.mutable_override()->set_is_ceiling(true);
    report.set_enforced_ppm(0);
  });
  const Said said = caller_.Type({"close", "shop"});
  EXPECT_EQ(said.code, 11);
  EXPECT_EQ(
      said.err,
      "1 of 2 load balancers has NOT confirmed, though each says that it lets in no more than "
      "0 %:\n"
      "  edge-2: a local override holds it at 0 % until it is released there\n");
}

TEST_F(Unconfirmed, CloseSaysThatLoadBalancersWereNotWaitedFor) {
  controller_.Change("shop", [](v1::Gate& gate) {
    gate.set_agents_expected(3);
    gate.mutable_agents(1)->set_connected(false);
  });
  for (const char* wait_for : {"recorded", "sent"}) {
    EXPECT_EQ(caller_.Type({"close", "shop", "--wait-for", wait_for}).out,
              "gate shop is closed at the controller; load balancers were not waited for (agents: "
              "1 of 3 connected)\n");
  }
}

TEST_F(Unconfirmed, LoadBalancersThatHaveNotConnectedCountAmongThoseThatShouldConfirm) {
  controller_.Change("shop", [](v1::Gate& gate) { gate.set_agents_expected(4); });
  controller_.Disobey("edge-9", "has not connected");
  EXPECT_THAT(caller_.Type({"close", "shop"}).err, HasSubstr("1 of 4 load balancers has NOT"));
}

}  // namespace
}  // namespace headgate::cli
