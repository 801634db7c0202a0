// A gate that stands by itself, and checks that say nothing yet or nothing any more, in every view.
#include <gtest/gtest.h>

#include <string>

#include "cli/changes.h"
#include "cli/picture.h"
#include "cli/words.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

std::string Text(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string Head(const v1::Gate& gate) {
  return Picture(gate, PictureOptions{.now = TestNow(), .size = {.columns = 100, .rows = 40}})[0];
}

std::string Table(const v1::Gate& gate) {
  v1::ListGatesResponse gates;
  *gates.add_gates() = gate;
  return Text(GateTable(gates));
}

v1::Gate ClosedGate() {
  v1::Gate gate = AdmittingGate();
  gate.clear_restoration();
  gate.set_share_ppm(0);
  gate.mutable_changed_by()->set_kind(v1::Cause::OPERATOR);
  gate.mutable_changed_by()->set_who("operator anna");
  gate.mutable_changed_by()->set_what("close");
  return gate;
}

void ExpectEverywhere(const v1::Gate& gate, const std::string& text) {
  EXPECT_NE(Head(gate).find(text), std::string::npos) << Head(gate);
  EXPECT_NE(Text(Explanation(gate, TestNow())).find(text), std::string::npos)
      << Text(Explanation(gate, TestNow()));
  const std::string without_since = text.substr(0, text.find(" for "));
  EXPECT_NE(Table(gate).find(without_since.substr(0, without_since.find(" since "))),
            std::string::npos)
      << Table(gate);
}

TEST(Standing, AGateThatNobodyIsLetInAtIsClosedInEveryView) {
  const v1::Gate gate = ClosedGate();
  ExpectEverywhere(gate, "CLOSED by operator anna for 41 s");
  const Lines first = Changes(static_cast<const v1::Gate*>(nullptr), gate, TestNow());
  EXPECT_NE(first[0].find("shop is CLOSED, admits 0 %"), std::string::npos) << first[0];
}

TEST(Standing, WhoClosedAGateIsKnownAfterARestart) {
  v1::Gate gate = ClosedGate();
  *gate.mutable_moved_by() = gate.changed_by();
  gate.mutable_moved_at()->set_seconds(kTestNow - 300);
  gate.mutable_changed_by()->Clear();
  gate.mutable_changed_by()->set_kind(v1::Cause::RECOVERY);
  ExpectEverywhere(gate, "CLOSED by operator anna for 5 min");
  // An older controller does not know it any more, and nobody makes it up.
  gate.clear_moved_by();
  gate.clear_moved_at();
  ExpectEverywhere(gate, "CLOSED since before the restart");
}

TEST(Standing, AGateThatAnOpeningLeavesClosedSaysSo) {
  v1::Gate gate = ClosedGate();
  gate.mutable_moved_by()->set_kind(v1::Cause::PLAN);
  gate.mutable_moved_by()->set_what("end open");
  gate.mutable_moved_at()->set_seconds(kTestNow - 41);
  ExpectEverywhere(gate, "CLOSED by plan (end open) for 41 s");
}

TEST(Standing, ARestorationThatEndsAtNothingLeavesAClosedGate) {
  v1::Gate before = AdmittingGate();
  before.set_share_ppm(0);
  v1::Gate gate = before;
  gate.mutable_restoration()->set_phase(v1::PHASE_ABORTED);
  gate.mutable_restoration()->set_doing("aborted at 0 %: aborted by operator ada");
  gate.mutable_moved_by()->set_kind(v1::Cause::CHECK);
  gate.mutable_moved_by()->set_who("errors");
  gate.mutable_moved_at()->set_seconds(kTestNow - 41);
  ExpectEverywhere(gate, "CLOSED by check errors for 41 s");
  EXPECT_NE(Table(gate).find("CLOSED by check errors after shop-3 ABORTED"), std::string::npos);
  EXPECT_FALSE(StandsByItself(before));
  const std::string lines = Text(Changes(&before, gate, TestNow()));
  EXPECT_NE(lines.find("shop is CLOSED, admits 0 %"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("(was 0 %)"), std::string::npos) << lines;
}

TEST(Standing, EvidenceThatDoesNotProveTheShareYetIsNotASmallSample) {
  v1::Gate gate = AdmittingGate();
  v1::CheckState& check = *gate.mutable_restoration()->mutable_checks(0);
  check.set_verdict(v1::UNKNOWN);
  check.set_unknown_why(v1::CheckState::NOT_PROVEN);
  check.set_proven("1.8 of 3.0");
  EXPECT_EQ(VerdictText(check), "UNKNOWN (unproven)");
  EXPECT_EQ(CheckLine(check, gate),
            "errors UNKNOWN (not proven yet: 1.8 of 3.0) 0.31 % (bound 1 %, 0.3 s old)");
}

TEST(Standing, ACheckThatNobodyAsksAnyMoreSaysNothing) {
  v1::Gate gate = AdmittingGate();
  gate.mutable_restoration()->set_phase(v1::PHASE_COMPLETED);
  v1::CheckState& check = *gate.mutable_restoration()->mutable_checks(0);
  check.Clear();
  check.set_name("errors");
  check.set_not_watched(true);
  EXPECT_EQ(CheckLine(check, gate), "errors not watched since it ended");
}

}  // namespace
}  // namespace headgate::cli
