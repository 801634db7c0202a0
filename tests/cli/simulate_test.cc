// `headgate simulate` and what `validate` warns of, as people and programs read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/cli/caller.h"

namespace headgate::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kPlan[] =
    "gate: shop\npreflight: {agents: [edge-1, edge-2]}\nchecks:\n"
    "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n"
    "  - {name: slow, ratio: agents.slower_than(500ms), limit: 1%}\n"
    "ramp: {steps: [1%, 5%, 25%, 100%]}\n";

std::string AdaptivePlan(const std::string& ramp) {
  const std::string plan = kPlan;
  const std::string more = ramp.empty() ? "" : ", " + ramp;
  return plan.substr(0, plan.find("ramp:")) + "ramp: {steps: adaptive" + more + "}\n";
}

// Without the breaks of its lines.
std::string Unbroken(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\n    ", " "}});
}

class Simulate : public testing::Test {
 protected:
  Simulate() { caller_.way_in.clear(); }

  Said Type(std::vector<std::string> words, const std::string& plan = kPlan) {
    words.insert(words.begin(), {"simulate", "-", "--runs", "3"});
    return caller_.Type(words, plan);
  }
  Said Validate(std::vector<std::string> words, const std::string& plan = kPlan) {
    words.insert(words.begin(), {"validate", "-"});
    return caller_.Type(words, plan);
  }
  json Json(std::vector<std::string> words, const std::string& plan = kPlan) {
    words.insert(words.end(), {"-o", "json"});
    const Said said = Type(words, plan);
    EXPECT_EQ(said.code, 0) << said.err;
    return json::parse(said.out);
  }
  // The path of a scenario's file with this text.
  static std::string File(const std::string& text) {
    const std::string path = testing::TempDir() + "rehearsed.yaml";
    std::ofstream(path) << text;
    return path;
  }

  Caller caller_{""};
};

TEST_F(Simulate, TellsOfASoundPlatformAndTypicalTroublesWithoutBeingAsked) {
  const Said said = Type({});
  EXPECT_EQ(said.code, 0) << said.err;
  for (const char* text : {"H1   healthy", "B2   bad from the start", "B6   a regression",
                           "M1   a cold", "M3   three fifths", "H6   a healthy, quiet",
                           "MINUTES TO 100 %", "H6 40", "Run 1 of 3 on B6"}) {
    EXPECT_THAT(said.out, HasSubstr(text));
  }
}

TEST_F(Simulate, SaysTheSameForTheSameSeedAndSomethingElseForAnother) {
  const std::string one = Type({"--scenario", "H3"}).out;
  EXPECT_EQ(one, Type({"--scenario", "H3"}).out);
  EXPECT_NE(one, Type({"--scenario", "H3", "--seed", "2"}).out);
}

TEST_F(Simulate, ErrsAsOnAnOrdinaryDayOfThePlan) {
  std::string plan = kPlan;
  plan.replace(plan.find("limit: 1%"), 9, "limit: 3%, baseline: 2%");
  const auto errors = [&](const std::string& text) {
    return Json({"--scenario", "H1"}, text)["scenarios"][0]["errors_served"]["mean"].get<double>();
  };
  EXPECT_GT(errors(plan), 5 * errors(kPlan));
  EXPECT_THAT(Type({"--scenario", "H1"}, plan).out,
              HasSubstr("errors are 2 % where a platform does not say otherwise"));
  EXPECT_EQ(
      Json({"--scenario", "H2"}, plan)["scenarios"][0]["errors_served"],
      Json({"--scenario", "H2"}, std::string(plan).replace(plan.find(", baseline: 2%"), 14,
                                                           ""))["scenarios"][0]["errors_served"]);
}

TEST_F(Simulate, TakesTheTrafficFromTheCallerAndTheNightFromTheDay) {
  const json by_default = Json({});
  EXPECT_EQ(by_default["scenarios"][0]["rps"], 2'000);
  EXPECT_EQ(by_default["scenarios"][5]["rps"], 40);
  const json asked = Json({"--rps", "500"});
  EXPECT_EQ(asked["scenarios"][0]["rps"], 500);
  EXPECT_EQ(asked["scenarios"][5]["rps"], 10);
  EXPECT_EQ(Json({"--scenario", "H6", "--rps", "500"})["scenarios"][0]["rps"], 500);
}

TEST_F(Simulate, GivesProgramsEveryFigureAndTheWholeRun) {
  const json all = Json({"--scenario", "B6", "--scenario", "H1"});
  EXPECT_EQ(all["plan"], "standard input");
  EXPECT_EQ(all["gate"], "shop");
  EXPECT_EQ(all["seed"], 1);
  EXPECT_EQ(all["runs"], 3);
  ASSERT_EQ(all["scenarios"].size(), 2U);
  const json& bad = all["scenarios"][0];
  EXPECT_EQ(bad["name"], "B6");
  EXPECT_EQ(bad["kind"], "bad");
  EXPECT_TRUE(bad["found_after_s"]["median"].is_number());
  EXPECT_EQ(bad["false_retreats"]["per_hour"], 0);
  const json& sound = all["scenarios"][1];
  EXPECT_TRUE(sound["found_after_s"].is_null());
  EXPECT_EQ(sound["false_retreats"]["per_hour"], 0);
  EXPECT_EQ(sound["runs_to_full"], 3);
  EXPECT_EQ(sound["end"]["runs_below_full"], 0);
  for (const char* key : {"to_full_s", "lost_user_minutes", "errors_served", "collapse_s"}) {
    EXPECT_TRUE(sound[key]["mean"].is_number()) << key;
  }
  const json& run = all["run"];
  EXPECT_EQ(run["scenario"], "B6");
  for (const char* key : {"commanded_ppm", "effective", "served", "has_data", "requests", "errors",
                          "slow", "utilisation", "against", "check_against", "in_favour"}) {
    EXPECT_EQ(run["seconds"][key].size(), 3'600U) << key;
  }
  bool has_retreat = false;
  for (const json& decision : run["decisions"]) {
    has_retreat = has_retreat || decision["is_retreat"];
    EXPECT_TRUE(decision["why"].is_string());
  }
  EXPECT_TRUE(has_retreat);
}

TEST_F(Simulate, SaysWhereARunStaysAndWhatItWaitsFor) {
  const Said said = Type({"--scenario", "H6"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, AllOf(HasSubstr("every run ends at less than 100 %, in the median at 1 %"),
                              HasSubstr("waits for"), HasSubstr("never")));
  EXPECT_THAT(said.err, HasSubstr("standard input:4:5: warning: checks[0].min_sample: at 40"));
}

TEST_F(Simulate, SaysInHowManyRunsAPersonIsCalledAndWhy) {
  const json all = Json({"--scenario", "B2", "--scenario", "H1"});
  const json& bad = all["scenarios"][0];
  EXPECT_EQ(bad["runs_asking_for_a_person"], 3);
  EXPECT_THAT(bad["first_call"]["why"], HasSubstr("failed 4 times in a row"));
  EXPECT_EQ(bad["end"]["still_asking"], 3);
  EXPECT_THAT(bad["end"]["last_failure"], HasSubstr("errors is FAILED"));
  EXPECT_EQ(all["scenarios"][1]["runs_asking_for_a_person"], 0);
  EXPECT_TRUE(all["scenarios"][1]["first_call"].is_null());
  const std::string out = Unbroken(Type({"--scenario", "B2"}).out);
  EXPECT_THAT(out,
              HasSubstr("B2: every run ends at less than 100 %, in the median at 0 %, and asks "
                        "for a person, in the median first after 3:0"));
  EXPECT_THAT(out, HasSubstr(". One of them: holding at 0 %: 1 % failed 4 times in a row"));
  EXPECT_THAT(out, HasSubstr("; the last retreat: errors is FAILED: "));
}

TEST_F(Simulate, CountsAHoldWithoutDataAndAStepThatLastsTooLongAsCallsForAPerson) {
  const json silent = Json({"--scenario", "H8"})["scenarios"][0];
  EXPECT_EQ(silent["runs_asking_for_a_person"], 3);
  EXPECT_EQ(silent["end"]["runs_below_full"], 0);
  EXPECT_THAT(silent["first_call"]["why"], HasSubstr("no data"));
  EXPECT_THAT(Unbroken(Type({"--scenario", "H8"}).out),
              HasSubstr("H8: a person is called in every run, in the median first after "));
  const json quiet = Json({"--scenario", "H6"})["scenarios"][0];
  EXPECT_EQ(quiet["runs_asking_for_a_person"], 3);
  EXPECT_THAT(quiet["first_call"]["why"], HasSubstr("for longer than 5m"));
}

TEST_F(Simulate, SaysWhatHoldsARunBelow100PercentWhereItWaitsForNothing) {
  const std::string plan = AdaptivePlan("");
  const json end = Json({"--scenario", "M3"}, plan)["scenarios"][0]["end"];
  EXPECT_EQ(end["runs_below_full"], 3);
  EXPECT_FALSE(end["doing"].get<std::string>().empty());
  EXPECT_THAT(Unbroken(Type({"--scenario", "M3"}, plan).out),
              HasSubstr(". One of them: " + end["doing"].get<std::string>()));
  EXPECT_THAT(end["doing"], HasSubstr("stays: slow brakes"));
}

TEST_F(Simulate, SaysThatEverybodyIsInAndFewAreServed) {
  const std::string path = File(
      "name: blind\nwhat: overload that nobody counts\nkind: moving\n"
      "site: {duration: 20m}\ncapacity: {base: 0.5}\n"
      "metrics: {errors_factor: 0, slow_factor: 0}\n");
  const json end = Json({"--scenario", path})["scenarios"][0]["end"];
  EXPECT_EQ(end["runs_below_full"], 0);
  EXPECT_EQ(end["runs_full_but_unserved"], 3);
  EXPECT_LT(end["median_part_served"], 0.95);
  EXPECT_THAT(Type({"--scenario", path}).out,
              HasSubstr("blind: every run ends at 100 %, but only"));
}

TEST_F(Simulate, CountsRetreatsBeforeTheOnsetOfABadPlatformAsFalseOnes) {
  const std::string path = File(
      "name: nervous\nwhat: a burst, then trouble\nkind: bad\nonset: {at: 10m}\n"
      "site: {duration: 20m}\n"
      "errors: {faults: [{ratio: 40%, from: 5m, until: 5m20s}, {ratio: 40%, from: 10m}]}\n");
  const json all = Json({"--scenario", path, "--scenario", "B2"})["scenarios"];
  EXPECT_EQ(all[0]["false_retreats"]["part_of_runs"], 1);
  EXPECT_GE(all[0]["false_retreats"]["per_hour"], 6);
  // From its start on it is bad: there is no time in which a retreat were false.
  EXPECT_TRUE(all[1]["false_retreats"].is_null());
}

TEST_F(Simulate, SaysWhatItAssumesOfChecksThatAreNotModelled) {
  const std::string plan =
      std::string(kPlan) +
      "databases:\n  orders: {engine: postgres, primary: host=db1 dbname=shop}\n";
  std::string checked = plan;
  checked.insert(checked.find("ramp:"),
                 "  - {name: orders, database: orders}\n"
                 "  - {name: payments, limit: 2%, ratio: {prometheus: {bad: b, total: t}}}\n");
  const Said said = Type({"--scenario", "H1"}, checked);
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("always HEALTHY while there is any data: orders"),
                              HasSubstr("check payments (Prometheus) counts the errors")));
}

TEST_F(Simulate, RehearsesAScenarioFile) {
  const std::string path = File(
      "name: friday\nwhat: a short one\nkind: bearable\n"
      "site: {rps: 400, duration: 10m}\n");
  const Said said = Type({"--scenario", path});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out,
              AllOf(HasSubstr("friday"), HasSubstr("10 minutes each"), HasSubstr("friday 400")));
}

TEST_F(Simulate, NamesWhatIsNearToAScenarioThatIsNot) {
  EXPECT_THAT(Type({"--scenario", "h1"}).err, HasSubstr("did you mean 'H1'?"));
  const Said said = Type({"--scenario", "M9"});
  EXPECT_EQ(said.code, 4);
  EXPECT_THAT(said.err, AllOf(HasSubstr("no file and no built-in scenario 'M9'"),
                              HasSubstr("near it are M1, M2, M3, M3b, M4, M5")));
  EXPECT_THAT(Type({"--scenario", "friday"}).err, HasSubstr("there are B1, B2"));
  EXPECT_THAT(Type({"--scenario", "there/is/none.yaml"}).err, HasSubstr("is the path right?"));
}

TEST_F(Simulate, RefusesABadFileWithItsLineAndColumn) {
  const std::string path =
      File("name: friday\nwhat: a bad one\nkind: bearable\nsite: {rps: many}\n");
  const Said scenario = Type({"--scenario", path});
  EXPECT_EQ(scenario.code, 3);
  EXPECT_THAT(scenario.err, HasSubstr("rehearsed.yaml:4:13:"));
  const Said plan = Type({"-o", "json"}, "gate: shop\n");
  EXPECT_EQ(plan.code, 3);
  EXPECT_THAT(plan.err, HasSubstr("standard input:1:1:"));
  EXPECT_EQ(json::parse(plan.out)["error"]["exit"], 3);
}

TEST_F(Simulate, RefusesFiguresOutOfRange) {
  EXPECT_EQ(Type({"--rps", "0"}).code, 2);
  EXPECT_EQ(Type({"--rps", "nan"}).code, 2);
  EXPECT_EQ(Type({"--runs", "0"}).code, 2);
  EXPECT_EQ(Validate({"-o", "svg"}).code, 2);
  EXPECT_EQ(caller_.Type({"simulate", "there-is-none.yaml"}).code, 2);
}

TEST_F(Simulate, SaysWhatAFigureMayBe) {
  EXPECT_THAT(Type({"--seed", "text"}).err, HasSubstr("--seed: 'text' is not a whole number"));
  EXPECT_THAT(caller_.Type({"simulate", "-", "--runs", "1e3"}).err,
              HasSubstr("--runs: '1e3' is not a whole number: write 1 to 10000\n"));
  EXPECT_THAT(Type({"--rps", "0"}).err, HasSubstr("0 is out of range: write 0.1 to 1000000\n"));
  EXPECT_THAT(Type({"--rps", "many"}).err, HasSubstr("'many' is not a number"));
}

TEST_F(Simulate, DrawsTheRunThatIsAskedFor) {
  const json first = Json({"--scenario", "H3"})["run"];
  const json third = Json({"--scenario", "H3", "--run", "3"})["run"];
  EXPECT_EQ(first["number"], 1);
  EXPECT_EQ(third["number"], 3);
  EXPECT_NE(first["seconds"]["requests"], third["seconds"]["requests"]);
  EXPECT_THAT(Type({"--scenario", "H3", "--run", "3"}).out, HasSubstr("Run 3 of 3 on H3"));
  const Said beyond = Type({"--run", "4"});
  EXPECT_EQ(beyond.code, 2);
  EXPECT_THAT(beyond.err, HasSubstr("--run 4 is above --runs 3: write 1 to 3"));
}

TEST_F(Simulate, CutsNoCauseWhereNobodySaysHowWideTheOutputIs) {
  const Said said = Type({"--scenario", "B6"});
  EXPECT_THAT(said.out, HasSubstr("nats against (fails at 6.9)\n"));
}

TEST_F(Simulate, WritesNoExponents) {
  const Said said = Type({"--scenario", "H1", "--rps", "1000000"});
  EXPECT_THAT(said.out, HasSubstr("H1 1000000\n"));
  EXPECT_THAT(said.out, Not(HasSubstr("e+")));
  EXPECT_THAT(Validate({"--rps", "1000000"}, AdaptivePlan("bake: 1s..1s")).err,
              HasSubstr("at 1000000 requests/s the first share of 5 % brings 50000 a second"));
}

TEST_F(Simulate, ValidateSaysWhereNoTrafficIsEnough) {
  EXPECT_THAT(Validate({}, AdaptivePlan("bake: 1s..1s")).out,
              HasSubstr("no traffic is enough for a bake of 1s: lengthen it"));
}

TEST_F(Simulate, ValidateIsStrictWhereItIsAsked) {
  EXPECT_EQ(Validate({"--strict", "--rps", "2000"}).code, 0);
  const Said quiet = Validate({"--strict", "--rps", "40"});
  EXPECT_EQ(quiet.code, 3);
  EXPECT_THAT(quiet.err, HasSubstr("headgate: 2 warnings, which --strict refuses"));
  EXPECT_THAT(quiet.out, Not(HasSubstr("a sound plan")));
}

TEST_F(Simulate, ValidateGivesProgramsItsWarnings) {
  const json sound = json::parse(Validate({"-o", "json", "--rps", "2000"}).out);
  EXPECT_EQ(sound["gate"], "shop");
  EXPECT_EQ(sound["warnings"], json::array());
  const Said said = Validate({"-o", "json", "--rps", "40", "--strict"});
  EXPECT_EQ(said.code, 3);
  const json quiet = json::parse(said.out);
  ASSERT_EQ(quiet["warnings"].size(), 2U);
  EXPECT_THAT(quiet["warnings"][0], HasSubstr("standard input:4:5: warning: checks[0].min_sample"));
}

TEST_F(Simulate, TrafficThatPrometheusCountsIsNotKnown) {
  const std::string plan =
      "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
      "  - {name: payments, limit: 2%, ratio: {prometheus: {bad: b, total: t}}}\n";
  EXPECT_THAT(Validate({"--rps", "40"}, plan).out,
              HasSubstr("what traffic it needs is not known: check payments counts"));
  EXPECT_THAT(Unbroken(Type({"--scenario", "H1"}, plan).out),
              HasSubstr("assumed: no check counts the load balancers' requests"));
  EXPECT_THAT(Validate({}).out, Not(HasSubstr("is not known")));
}

TEST_F(Simulate, SaysWhyAFileCannotBeRead) {
  const Said folder = caller_.Type({"validate", testing::TempDir()});
  EXPECT_EQ(folder.code, 2);
  EXPECT_THAT(folder.err, HasSubstr("cannot be read: Is a directory"));
  EXPECT_THAT(caller_.Type({"validate", "there-is-none.yaml"}).err,
              HasSubstr("cannot be read: No such file or directory: is the path right?"));
}

TEST_F(Simulate, DoesNotCallAScenarioAPlan) {
  const std::string path = File(kPlan);
  const Said said = caller_.Type({"simulate", path, "--scenario", path});
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, AllOf(HasSubstr("headgate: no sound scenario:\n"), HasSubstr(":1:1: "),
                              Not(HasSubstr("no sound plan"))));
}

TEST_F(Simulate, NamesEveryBlindPlatformAndLimitsThatNobodyReads) {
  std::string plan = kPlan;
  plan.replace(plan.find("limit: 1%"), 9, "limit: 5%");
  const Said said = Type({}, plan);
  EXPECT_THAT(said.err,
              HasSubstr("check errors allows 5 %, and platforms B2 errs 5 %, B6 errs 5 %"));
  const std::string path = File("name: friday\nwhat: one\nkind: bearable\nlimits: {errors: 2%}\n");
  EXPECT_THAT(Type({"--scenario", path}).err,
              HasSubstr("scenario friday: warning: limits: only ./dev bench judgement reads them"));
}

TEST_F(Simulate, StopsAtCtrlC) {
  caller_.interrupt.Raise();
  EXPECT_EQ(Type({}).code, 130);
}

TEST_F(Simulate, WarnsBeforeItRunsThatALimitIsBelowWhatIsNormal) {
  std::string plan = kPlan;
  plan.replace(plan.find("limit: 1%"), 9, "limit: 0.2%");
  const Said said = Type({"--scenario", "H1"}, plan);
  EXPECT_THAT(said.err, HasSubstr("standard input:4:51: warning: checks[0].limit: check errors "
                                  "allows 0.2 %"));
  EXPECT_EQ(Json({"--scenario", "H1"}, plan)["warnings"].size(), 2U);
}

TEST_F(Simulate, ValidateWarnsOfTooLittleTrafficAndGoesOn) {
  const Said quiet = Validate({"--rps", "40"});
  EXPECT_EQ(quiet.code, 0);
  EXPECT_THAT(quiet.err, HasSubstr("warning: checks[0].min_sample"));
  // The same words for the same facts, strict or not.
  EXPECT_THAT(quiet.out, HasSubstr("a plan with 2 warnings\n"));
  EXPECT_THAT(Validate({"--strict", "--rps", "40"}).out, HasSubstr("a plan with 2 warnings\n"));
  EXPECT_THAT(Validate({"--rps", "2000"}).out, HasSubstr("a sound plan\n"));
  EXPECT_EQ(Validate({"--rps", "2000"}).err, "");
  const Said unknown = Validate({});
  EXPECT_EQ(unknown.err, "");
  EXPECT_THAT(unknown.out, HasSubstr("needs 1000 requests/s at 100 %"));
}

TEST_F(Simulate, ValidateWarnsOfAWatchThatEndsWithinAWindow) {
  const Said said = Validate({}, std::string(kPlan) + "then: {watch: 5s}\n");
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.err, HasSubstr("standard input:7:15: warning: then.watch: 5s is shorter"));
}

}  // namespace
}  // namespace headgate::cli
