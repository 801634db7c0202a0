#include "cli/picture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cli/words.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

Lines Draw(const v1::Gate& gate, Size size = {}, bool has_color = false) {
  return Picture(
      gate, PictureOptions{.now = TestNow(), .size = size, .has_color = has_color, .is_cut = true});
}

std::string Text(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(Picture, AnswersEveryQuestionOfTheNightOnOneScreen) {
  EXPECT_EQ(Text(Draw(AdmittingGate())),
            "shop  ADMITTING for 41 s                                          shop-3 by anna\n"
            "desired    ############....................................... 25 % -> 50 %\n"
            "observed   ############....................................... 25 %\n"
            "doing      admitting 25 %, baked 4 of 10 s\n"
            "waits for: 6 s of baking\n"
            "CHECK           VERDICT            VALUE        BOUND        AGE     \n"
            "errors          HEALTHY            0.31 %       1 %          0.3 s   62 of 2000…\n"
            "slow            HEALTHY            0.31 %       1 %          0.3 s   62 of 2000…\n"
            "LOAD BALANCER LINK      STAGE    SHARE      REQ/S TROUBLE\n"
            "edge-1        connected OBSERVED 25 %       412   \n"
            "edge-2        connected OBSERVED 25 %       412   \n"
            "last       17:59:19 UTC plan: advance: 10 % proven\n");
}

TEST(Picture, FitsAnyTerminalAndShowsTroubleFirst) {
  v1::Gate gate = AdmittingGate();
  for (int i = 0; i < 30; ++i) AddAgent(gate, "edge-" + std::to_string(i + 3));
  gate.mutable_agents(25)->set_connected(false);
  gate.mutable_agents(25)->mutable_last_seen()->set_seconds(kTestNow - 41);
  for (int i = 0; i < 20; ++i) AddCheck(gate, "check-" + std::to_string(i), v1::HEALTHY);
  AddCheck(gate, "payments", v1::FAILED).set_detail("9 of 100 in 30s");
  for (const Size size : {Size{80, 24}, Size{40, 12}, Size{200, 60}, Size{10, 3}}) {
    const Lines lines = Draw(gate, size);
    EXPECT_LT(lines.size(), static_cast<std::size_t>(std::max(size.rows, 12)));
    for (const std::string& line : lines) {
      EXPECT_LE(Width(line), static_cast<std::size_t>(std::max(size.columns, 40))) << line;
    }
  }
  const std::string text = Text(Draw(gate));
  EXPECT_NE(text.find("payments        FAILED"), std::string::npos) << text;
  EXPECT_NE(text.find("not connected for 41 s"), std::string::npos) << text;
  EXPECT_NE(text.find("more, all HEALTHY"), std::string::npos) << text;
  EXPECT_NE(text.find("more, all in order"), std::string::npos) << text;
}

TEST(Picture, VerdictsAreWordsWithAndWithoutColour) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_restoration()->mutable_checks(0)->set_verdict(v1::UNKNOWN);
  gate.mutable_restoration()->mutable_checks(0)->set_unknown_why(v1::CheckState::TOO_FEW);
  EXPECT_NE(Text(Draw(gate)).find("UNKNOWN (too few)"), std::string::npos);
  const std::string colored = Text(Draw(gate, {}, true));
  EXPECT_NE(colored.find("\x1b[33mUNKNOWN (too few) \x1b[0m"), std::string::npos) << colored;
  EXPECT_EQ(Text(Draw(gate)).find('\x1b'), std::string::npos);
}

TEST(Picture, MarksWhatIsDangerousLoudly) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_open_until()->set_seconds(kTestNow + 600);
  gate.set_recorded(false);
  gate.set_no_raise(true);
  const std::string text = Text(Draw(gate));
  EXPECT_NE(text.find("!! OPEN WITHOUT EVIDENCE until 18:10:00 UTC"), std::string::npos) << text;
  EXPECT_NE(text.find("!! NOT RECORDED YET"), std::string::npos) << text;
  EXPECT_NE(text.find("!! NO RAISE until it goes on with fresh evidence:"), std::string::npos)
      << text;
  // The desk's clock is ahead: the controller alone knows when it is over.
  gate.mutable_open_until()->set_seconds(kTestNow - 60);
  EXPECT_NE(Text(Draw(gate)).find("!! OPEN WITHOUT EVIDENCE until 17:59:00 UTC"),
            std::string::npos);
  gate.clear_restoration();
  gate.add_parts("shop@eu");
  gate.add_parts("shop@us");
  EXPECT_NE(
      Text(Draw(gate)).find("!! PARTS with shares of their own are not in this: shop@eu, sho"),
      std::string::npos);
  EXPECT_NE(Text(Draw(gate))
                .find("!! NO RAISE until every load balancer is at 25 %, or a start or an open"),
            std::string::npos);
}

TEST(Picture, WithoutRestorationAgentsOrObservationsItClaimsNothing) {
  v1::Gate gate;
  gate.set_name("shop");
  gate.set_share_ppm(1'000'000);
  gate.set_recorded(true);
  const std::string text = Text(Draw(gate));
  EXPECT_NE(text.find("no restoration"), std::string::npos);
  EXPECT_NE(text.find("none has ever connected"), std::string::npos);
  EXPECT_EQ(text.find("CHECK"), std::string::npos);
  EXPECT_NE(text.find("??? nothing yet"), std::string::npos) << text;
}

TEST(Picture, ALoadBalancerThatAdmitsEverybodyIsNotDrawnAsClosed) {
  v1::Gate gate = AdmittingGate();
  gate.set_share_ppm(0);
  gate.set_observed_min_ppm(0);
  gate.set_observed_max_ppm(1'000'000);
  const std::string text = Text(Draw(gate));
  EXPECT_NE(text.find("observed   +++++"), std::string::npos) << text;
  EXPECT_NE(text.find("+++ 0 % to 100 %"), std::string::npos) << text;
}

TEST(Picture, ALoadBalancerThatHasNotConnectedIsListedAndItsShareUnknown) {
  v1::Gate gate = AdmittingGate();
  gate.set_agents_expected(3);
  gate.set_agents_unknown(1);
  gate.add_agents()->set_name("edge-3");
  const std::string text = Text(Draw(gate));
  EXPECT_NE(text.find("??? 25 %, 1 unknown"), std::string::npos) << text;
  EXPECT_NE(text.find("edge-3        ABSENT    -        unknown    0     not connected yet\n"),
            std::string::npos)
      << text;
  EXPECT_NE(Text(Explanation(gate, TestNow()))
                .find("Load balancer edge-3: share unknown, not connected yet"),
            std::string::npos);
  v1::ListGatesResponse gates;
  *gates.add_gates() = gate;
  EXPECT_NE(Text(GateTable(gates)).find("25 %, 1 unknown              2/3"), std::string::npos)
      << Text(GateTable(gates));
  EXPECT_NE(Text(AgentTable(gate, TestNow())).find("edge-3               ABSENT"),
            std::string::npos);
  gate.set_observed(false);
  EXPECT_NE(Text(Draw(gate)).find("??? 1 unknown"), std::string::npos) << Text(Draw(gate));
}

TEST(Picture, ALoadBalancerThatEnforcesMoreThanItWasToldIsInTrouble) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_version()->set_revision(2);
  for (v1::Agent& agent : *gate.mutable_agents()) {
    agent.mutable_report()->mutable_version()->set_revision(2);
  }
  v1::Report& late = *gate.mutable_agents(0)->mutable_report();
  late.mutable_version()->set_revision(1);
  late.set_enforced_ppm(1'000'000);
  gate.set_share_ppm(0);
  gate.mutable_agents(1)->mutable_report()->set_enforced_ppm(0);
  *gate.mutable_as_of() = gate.changed_at();
  // An order that is merely under way is no trouble.
  EXPECT_EQ(TroubleOf(gate.agents(0), gate, TestNow()), "");
  gate.mutable_as_of()->set_seconds(gate.changed_at().seconds() + 1);
  const std::string colored = Text(Draw(gate, {}, true));
  EXPECT_NE(colored.find("still enforces 100 %, told 0 %\x1b[0m"), std::string::npos) << colored;
  EXPECT_EQ(ColorOfTrouble(gate.agents(0), gate), Color::kBad);
  EXPECT_EQ(ColorOfTrouble(gate.agents(1), gate), Color::kNone);
  EXPECT_NE(Text(Explanation(gate, TestNow()))
                .find("Load balancer edge-1 OBSERVED 100 %: still enforces 100 %, told 0 %"),
            std::string::npos);
  EXPECT_NE(Text(AgentTable(gate, TestNow())).find("still enforces 100 %, told 0 %"),
            std::string::npos);
  // Less than it was told is doubtful only.
  gate.set_share_ppm(500'000);
  late.set_enforced_ppm(0);
  EXPECT_EQ(TroubleOf(gate.agents(0), gate, TestNow()), "enforces 0 %, told 50 %");
  EXPECT_EQ(ColorOfTrouble(gate.agents(0), gate), Color::kDoubtful);
  late.set_enforced_ppm(500'000);
  EXPECT_EQ(TroubleOf(gate.agents(0), gate, TestNow()), "has not answered the order");
}

TEST(Picture, WhatARefusingOrLostLoadBalancerLetsInIsUnknownButItsLastShareIsKept) {
  v1::Gate gate = AdmittingGate();
  gate.set_share_ppm(0);
  gate.set_observed_min_ppm(0);
  gate.set_observed_max_ppm(0);
  gate.set_agents_unknown(1);
  gate.mutable_agents(0)->mutable_report()->set_enforced_ppm(0);
  v1::Agent& edge_2 = *gate.mutable_agents(1);
  edge_2.set_connected(false);
  edge_2.mutable_report()->set_enforced_ppm(1'000'000);
  EXPECT_EQ(ObservedText(gate), "0 %, 1 unknown (last 100 %)");
  std::string text = Text(Draw(gate));
  EXPECT_NE(text.find("??? 0 %, 1 unknown (last 100 %)"), std::string::npos) << text;
  EXPECT_NE(text.find("LOST      OBSERVED was 100 %"), std::string::npos) << text;
  EXPECT_NE(Text(Explanation(gate, TestNow())).find("Load balancer edge-2 LOST, was 100 %: "),
            std::string::npos);
  edge_2.set_connected(true);
  edge_2.mutable_report()->set_stage(v1::REFUSED);
  text = Text(Draw(gate));
  EXPECT_NE(text.find("REFUSED  was 100 %"), std::string::npos) << text;
  EXPECT_NE(text.find("(last 100 %)"), std::string::npos) << text;
}

TEST(Picture, WithoutAControllerABannerLeadsNothingIsGreenAndAgesGoOn) {
  const auto lost = [](Size size) {
    return Picture(AdmittingGate(), PictureOptions{.now = TestNow() + Duration(12'000),
                                                   .size = size,
                                                   .has_color = true,
                                                   .is_cut = true,
                                                   .lost_since = TestNow()});
  };
  const Lines lines = lost({});
  EXPECT_EQ(lines[0].rfind("\x1b[1;7mNO WORD FROM THE CONTROLLER for 12 s: this is how it was at "
                           "18:00:00 UTC.",
                           0),
            0U)
      << lines[0];
  const std::string text = Text(lines);
  EXPECT_NE(text.find("`headgate-agent lower` works on the"), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[32m"), std::string::npos) << text;
  EXPECT_NE(text.find("12 s "), std::string::npos) << text;
  EXPECT_NE(text.find("ADMITTING for 53 s"), std::string::npos) << text;
  EXPECT_LT(lost({80, 14}).size(), 14U);
}

TEST(Picture, ChecksOfARestorationThatHasEndedAreNotDoubtful) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_restoration()->set_phase(v1::PHASE_ABORTED);
  gate.mutable_restoration()->mutable_checks(0)->set_verdict(v1::UNKNOWN);
  gate.mutable_restoration()->mutable_checks(0)->set_unknown_why(v1::CheckState::NO_DATA);
  const std::string text = Text(Draw(gate, {}, true));
  EXPECT_NE(text.find("\nerrors          not watched since it ended\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[33m"), std::string::npos) << text;
  const std::string told = Text(Explanation(gate, TestNow()));
  EXPECT_NE(told.find("Check errors not watched since it ended\nCheck slow"), std::string::npos)
      << told;
}

TEST(Picture, OnASmallTerminalTroubleComesBeforeWhatIsInOrder) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_restoration()->set_doing(fmt::format("{:x>150} {:y>60}", "", ""));
  for (const char* wait : {"a", "b", "c", "d"}) gate.mutable_restoration()->add_waits_for(wait);
  for (const char* name : {"a", "b", "c"}) AddCheck(gate, name, v1::HEALTHY);
  AddCheck(gate, "payments", v1::FAILED);
  AddCheck(gate, "orders", v1::DEGRADED);
  for (const char* name : {"edge-3", "edge-4", "edge-5"}) AddAgent(gate, name);
  gate.mutable_agents(3)->set_connected(false);
  gate.mutable_agents(4)->mutable_report()->set_trouble("the map is gone");
  for (const int rows : {13, 14, 20}) {
    const Lines lines = Draw(gate, Size{80, rows});
    EXPECT_LT(lines.size(), static_cast<std::size_t>(rows));
    const std::string text = Text(lines);
    for (const char* wanted : {"payments ", "orders ", "edge-4 ", "edge-5 "}) {
      EXPECT_NE(text.find(wanted), std::string::npos) << rows << "\n" << text;
    }
  }
}

TEST(Picture, AnAgentCannotDriveTheTerminal) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_agents(0)->mutable_report()->set_trouble("\x1b]0;owned\x07\x1b[2J");
  gate.mutable_restoration()->set_doing("\x1b[31mx");
  gate.mutable_restoration()->mutable_checks(0)->set_value("\x1b[5m");
  EXPECT_EQ(Text(Draw(gate)).find('\x1b'), std::string::npos);
  EXPECT_EQ(Text(Explanation(gate, TestNow())).find('\x1b'), std::string::npos);
  EXPECT_EQ(Text(AgentTable(gate, TestNow())).find('\x1b'), std::string::npos);
}

TEST(Words, AnOperatorIsNamedOnceAndACheckWithItsKind) {
  v1::Gate gate = AdmittingGate();
  v1::Cause& cause = *gate.mutable_changed_by();
  cause.set_kind(v1::Cause::OPERATOR);
  cause.set_who("approver bob");
  EXPECT_NE(Text(Draw(gate)).find("UTC approver bob: advance"), std::string::npos);
  cause.set_kind(v1::Cause::CHECK);
  cause.set_who("errors");
  EXPECT_NE(Text(Draw(gate)).find("UTC check errors: advance"), std::string::npos);
}

TEST(Explanation, TellsWhatIsInTheWayAndEveryFinding) {
  v1::Gate gate = AdmittingGate();
  v1::CheckState& orders = AddCheck(gate, "orders", v1::FAILED);
  orders.add_findings(
      "replica db2: table public.orders: column total is numeric(10,2) here, "
      "integer on the primary");
  gate.mutable_agents(1)->mutable_report()->mutable_refusal()->set_code(v1::Refusal::DISK);
  gate.mutable_agents(1)->mutable_report()->mutable_refusal()->set_detail("disk is full");
  const std::string text = Text(Explanation(gate, TestNow()));
  for (const char* wanted :
       {"shop admits 25 % (observed: 25 %).", "Last change at 2024-08-14 17:59:19 UTC by plan",
        "  - 6 s of baking", "Check orders FAILED", "column total is numeric(10,2) here",
        "Load balancer edge-2 OBSERVED 25 %: refused: disk is full"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "\n" << text;
  }
}

TEST(Explanation, NothingIsInTheWayOnlyOfAStepThatIsBeingAdmitted) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_restoration()->clear_waits_for();
  const std::string nothing = "Nothing is in the way of the next step.";
  EXPECT_NE(Text(Explanation(gate, TestNow())).find(nothing), std::string::npos);
  for (const v1::Phase phase : {v1::PHASE_HOLDING, v1::PHASE_WAITING_FOR_APPROVAL,
                                v1::PHASE_RETREATING, v1::PHASE_CURING, v1::PHASE_PREFLIGHT}) {
    gate.mutable_restoration()->set_phase(phase);
    EXPECT_EQ(Text(Explanation(gate, TestNow())).find(nothing), std::string::npos) << phase;
  }
}

TEST(Explanation, AnOpeningEndsByItself) {
  v1::Gate gate;
  gate.set_name("shop");
  gate.set_recorded(true);
  gate.mutable_open_until()->set_seconds(kTestNow + 600);
  const std::string text = Text(Explanation(gate, TestNow()));
  EXPECT_NE(text.find("the opening ends by itself at 18:10:00 UTC"), std::string::npos) << text;
  EXPECT_EQ(text.find("only a person"), std::string::npos) << text;
}

TEST(Picture, WhatAHandDidAfterTheEndOfARestorationLeads) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_restoration()->set_phase(v1::PHASE_COMPLETED);
  gate.mutable_restoration()->mutable_phase_since()->set_seconds(kTestNow - 78);
  gate.set_share_ppm(0);
  gate.mutable_changed_by()->set_kind(v1::Cause::OPERATOR);
  gate.mutable_changed_by()->set_who("operator anna");
  EXPECT_EQ(Draw(gate)[0].rfind("shop  CLOSED by operator anna for 41 s", 0), 0U) << Draw(gate)[0];
  v1::ListGatesResponse gates;
  *gates.add_gates() = gate;
  EXPECT_NE(Text(GateTable(gates)).find("CLOSED by operator anna after shop-3 COMPLETED"),
            std::string::npos);
  // A restart of the controller moves no gate.
  gate.mutable_changed_by()->set_kind(v1::Cause::RECOVERY);
  gate.set_share_ppm(1'000'000);
  EXPECT_EQ(Draw(gate)[0].rfind("shop  COMPLETED for 78 s", 0), 0U) << Draw(gate)[0];
}

TEST(Picture, WhatIsPipedIsNotCutAndATerminalWrapsWhatIsDone) {
  v1::Gate gate = AdmittingGate();
  const std::string doing =
      "failed at 0 %: preflight refuses: check orders is FAILED: replica db3: table "
      "public.orders: column total is numeric(10,2) here, integer on the primary";
  gate.mutable_restoration()->set_doing(doing);
  gate.mutable_agents(0)->set_name("edge-with-a-long-name-1");
  const std::string piped = Text(Picture(gate, PictureOptions{.now = TestNow(), .is_whole = true}));
  EXPECT_NE(piped.find("doing      " + doing + "\n"), std::string::npos) << piped;
  EXPECT_NE(piped.find("62 of 20000 in 30s\n"), std::string::npos) << piped;
  EXPECT_NE(piped.find("edge-with-a-long-name-1 connected"), std::string::npos) << piped;
  const std::string drawn = Text(Draw(gate));
  EXPECT_NE(drawn.find("doing      failed at 0 %: preflight refuses: check orders is FAILED: "
                       "replica\n           db3: table public.orders"),
            std::string::npos)
      << drawn;
}

TEST(Tables, AWeightIsReadAtAGlance) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_agents(0)->set_weight_ppm(751'794);
  EXPECT_NE(Text(AgentTable(gate, TestNow())).find(" 75.2 % "), std::string::npos);
}

TEST(Words, ARefusalThatIsTheTroubleIsToldOnce) {
  v1::Gate gate = AdmittingGate();
  v1::Report& report = *gate.mutable_agents(0)->mutable_report();
  report.mutable_refusal()->set_code(v1::Refusal::DISK);
  report.mutable_refusal()->set_detail("disk is full");
  report.set_trouble("disk is full");
  EXPECT_EQ(TroubleOf(gate.agents(0), gate, TestNow()), "refused: disk is full");
}

TEST(Tables, ShowEachGateAndEachAgentOnOneLine) {
  v1::ListGatesResponse gates;
  EXPECT_NE(Text(GateTable(gates)).find("gates create"), std::string::npos);
  *gates.add_gates() = AdmittingGate();
  gates.mutable_gates(0)->mutable_agents(1)->set_connected(false);
  const Lines table = GateTable(gates);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_NE(table[1].find("1/2"), std::string::npos);
  EXPECT_NE(table[1].find("shop-3 ADMITTING"), std::string::npos);
  v1::Gate gate = AdmittingGate();
  const Lines agents = AgentTable(gate, TestNow());
  ASSERT_EQ(agents.size(), 3U);
  EXPECT_NE(agents[1].find("haproxy 2.6.12"), std::string::npos);
  EXPECT_EQ(agents[0].find("LABELS"), std::string::npos);
  (*gate.mutable_agents(1)->mutable_labels())["zone"] = "eu-1";
  const Lines labelled = AgentTable(gate, TestNow());
  // Beneath their head, and before what troubles.
  const std::size_t at = labelled[0].find("LABELS    TROUBLE");
  EXPECT_NE(at, std::string::npos) << labelled[0];
  EXPECT_EQ(labelled[2].find("zone=eu-1 "), at) << labelled[2];
}

}  // namespace
}  // namespace headgate::cli
