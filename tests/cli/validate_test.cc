// What `validate` says of a plan, and where it says that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/caller.h"

namespace headgate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string PlanWith(const std::string& errors_limit, const std::string& ramp) {
  return "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
         "  - {name: errors, ratio: agents.http_5xx, limit: " +
         errors_limit +
         "}\n"
         "  - {name: slow, ratio: agents.slower_than(500ms), limit: 1%}\n" +
         ramp;
}

class Validate : public testing::Test {
 protected:
  Validate() { caller_.way_in.clear(); }

  Said Of(const std::string& plan, std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"validate", "-"});
    return caller_.Type(words, plan);
  }

  Caller caller_{""};
};

TEST_F(Validate, AWarningOfWhatIsNotWrittenHasNoPlaceInTheFile) {
  EXPECT_THAT(Of(PlanWith("1%", "ramp: {steps: [1%, 100%]}\n"), {"--rps", "900"}).err,
              HasSubstr("standard input:6:7: warning: ramp.bake: at 900"));
  EXPECT_THAT(Of(PlanWith("1%", ""), {"--rps", "0.5"}).err,
              HasSubstr("standard input: warning: ramp.bake: at 0.5 requests/s"));
}

TEST_F(Validate, WarnsOfALimitThatIsNoneAsSimulateDoes) {
  const std::string plan = PlanWith("99%", "ramp: {steps: [1%, 100%]}\n");
  const std::string warning = "warning: checks[0].limit: check errors allows 99 %: hardly any";
  EXPECT_THAT(Of(plan).err, HasSubstr(warning));
  const Said said = caller_.Type({"simulate", "-", "--runs", "1", "--scenario", "B2"}, plan);
  EXPECT_THAT(said.err, HasSubstr(warning));
  EXPECT_THAT(said.err, Not(HasSubstr("B2 errs")));
}

TEST_F(Validate, WarnsWithoutAWordOfTrafficOfWhatNoTrafficMends) {
  EXPECT_THAT(Of(PlanWith("1%", "ramp: {steps: adaptive, bake: 1s..5s}\n")).err,
              HasSubstr("after which a person is called; write bake: 1s.."));
}

TEST_F(Validate, SaysWhatASampleIsOfWithAdaptiveSteps) {
  EXPECT_THAT(Of(PlanWith("1%", "ramp: {steps: adaptive}\n")).out,
              HasSubstr("at most 1 %; at once where a newest second of at least 50 events is "
                        "grossly bad"));
  EXPECT_THAT(Of(PlanWith("1%", "ramp: {steps: [1%, 100%]}\n")).out,
              HasSubstr("at most 1 % over 30 s, of at least 50 events"));
}

}  // namespace
}  // namespace headgate::cli
