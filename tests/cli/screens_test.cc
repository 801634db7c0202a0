// What is shown as time passes, on a clock that stands still until it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "cli/follow.h"
#include "tests/cli/gates.h"

namespace headgate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class Screens : public testing::Test {
 protected:
  // What was written since the last time.
  std::string Said() {
    std::string said = out_.str();
    out_.str("");
    return said;
  }

  ManualClock clock_{TestNow()};
  std::ostringstream out_;
  std::ostringstream err_;
  Terminal terminal_{.out = out_, .err = err_, .is_live = true};
};

TEST_F(Screens, PlainLinesLeaveOutTroublesThatLastLessThanASecond) {
  const auto lines = LineScreen(out_, clock_);
  v1::Gate gate = AdmittingGate();
  lines->Show(gate);
  Said();
  v1::Report& report = *gate.mutable_agents(0)->mutable_report();
  report.set_trouble("a hiccup");
  lines->Show(gate);
  clock_.Advance(Duration(900));
  lines->Show(gate);
  report.clear_trouble();
  lines->Show(gate);
  EXPECT_EQ(Said(), "");
  report.set_trouble("the map is gone");
  lines->Show(gate);
  clock_.Advance(Duration(1'000));
  lines->Show(gate);
  EXPECT_THAT(Said(), HasSubstr("load balancer edge-1 the map is gone\n"));
  report.clear_trouble();
  lines->Show(gate);
  EXPECT_EQ(Said(), "");
  clock_.Advance(Duration(1'000));
  lines->Show(gate);
  EXPECT_THAT(Said(), HasSubstr("load balancer edge-1 is connected and in order\n"));
}

TEST_F(Screens, PlainLinesTellOfARestorationThatGoesOnUnchanged) {
  const auto lines = LineScreen(out_, clock_);
  const v1::Gate gate = AdmittingGate();
  lines->Show(gate);
  Said();
  clock_.Advance(Duration(29'000));
  lines->Show(gate);
  EXPECT_EQ(Said(), "");
  clock_.Advance(Duration(1'000));
  lines->Show(gate);
  EXPECT_THAT(Said(), AllOf(HasSubstr("shop still admits "), HasSubstr("waits for: ")));
  lines->Show(gate);
  EXPECT_EQ(Said(), "");
}

TEST_F(Screens, APictureWithoutAControllerSaysForHowLongUntilItIsBack) {
  const auto picture = PictureScreen(terminal_, clock_);
  picture->Show(AdmittingGate());
  EXPECT_THAT(Said(), Not(HasSubstr("NO WORD")));
  clock_.Advance(Duration(3'000));
  picture->Say("no word from the controller (silent for 3.0 s)");
  EXPECT_THAT(Said(), HasSubstr("NO WORD FROM THE CONTROLLER for 3 s: this is how it was at "
                                "18:00:00 UTC"));
  clock_.Advance(Duration(100));
  picture->ShowLost();
  EXPECT_EQ(Said(), "");
  clock_.Advance(Duration(900));
  picture->ShowLost();
  EXPECT_THAT(Said(), HasSubstr("NO WORD FROM THE CONTROLLER for 4 s"));
  picture->Say("the controller answers again");
  picture->Show(AdmittingGate());
  const std::string said = Said();
  EXPECT_THAT(said.substr(said.rfind("\x1b[H")), Not(HasSubstr("NO WORD")));
}

}  // namespace
}  // namespace headgate::cli
