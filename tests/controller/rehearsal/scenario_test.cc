#include "controller/rehearsal/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "controller/rehearsal/parameters.h"

namespace headgate::rehearsal {
namespace {

using testing::HasSubstr;

Scenario Parsed(std::string_view text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text, "x.yaml");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *scenario : Scenario();
}

std::string RefusalOf(std::string_view text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text, "x.yaml");
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(scenario.status().message());
}

TEST(ScenarioFile, TheShortestOneIsASoundPlatform) {
  const Scenario scenario = Parsed("name: x\nkind: bearable\n");
  EXPECT_EQ(scenario.name, "x");
  EXPECT_EQ(scenario.site.users, 20'000);
  EXPECT_EQ(scenario.site.rps, 2'000);
  EXPECT_EQ(scenario.errors.base, 0.003);
  EXPECT_EQ(scenario.capacity.base, 3);
  EXPECT_EQ(scenario.newcomers.cost, 1);
  EXPECT_EQ(scenario.limits.errors, 0.01);
  EXPECT_TRUE(scenario.errors.faults.empty());
}

TEST(ScenarioFile, SetsWhatItNames) {
  const Scenario scenario = Parsed(R"(name: x
what: much goes wrong
kind: bad
onset: {at: 2m, above: 20%}
site: {rps: 40, duration: 30m}
errors:
  base: 0.25%
  faults:
    - {ratio: 5%, above: 20%, from: 60s, until: 10m, grows_in: 1m}
    - {ratio: 100%, every: 100s, lasts: 5s}
capacity: {cold: 0.45, cold_until: 50%, faults: [{capacity: 0.5, from: 900s}]}
metrics: {delay: 10s, blackouts: [{from: 1m, until: 2m}]}
utilisation: {available: no}
)");
  EXPECT_EQ(scenario.kind, Kind::kBad);
  EXPECT_EQ(scenario.onset.at_s, 120);
  EXPECT_EQ(scenario.onset.above_share, 0.2);
  EXPECT_EQ(scenario.site.duration_s, 1'800);
  EXPECT_EQ(scenario.errors.base, 0.0025);
  ASSERT_EQ(scenario.errors.faults.size(), 2U);
  EXPECT_EQ(scenario.errors.faults[0].ratio, 0.05);
  EXPECT_EQ(scenario.errors.faults[0].above_share, 0.2);
  EXPECT_EQ(scenario.errors.faults[0].when.until_s, 600);
  EXPECT_EQ(scenario.errors.faults[0].grows_s, 60);
  EXPECT_EQ(scenario.errors.faults[1].when.every_s, 100);
  EXPECT_EQ(scenario.errors.faults[1].when.until_s, kForever);
  EXPECT_EQ(scenario.capacity.cold, 0.45);
  ASSERT_EQ(scenario.capacity.faults.size(), 1U);
  EXPECT_EQ(scenario.capacity.faults[0].capacity, 0.5);
  ASSERT_EQ(scenario.metrics.blackouts.size(), 1U);
  EXPECT_EQ(scenario.metrics.blackouts[0].until_s, 120);
  EXPECT_EQ(scenario.utilisation.available, 0);
}

TEST(ScenarioFile, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(RefusalOf("name: x\nkind: bad\nerrors: {bass: 1%}\n"),
            "x.yaml:3:10: 'bass' is no key of errors; did you mean 'base'?");
  EXPECT_EQ(RefusalOf("name: x\nkind: bad\nerrors: {weather: 1%}\n"),
            "x.yaml:3:10: 'weather' is no key of errors: write one of base, sigma, correlation, "
            "burst_every, burst_lasts, burst_adds, faults");
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nerrors: {faults: [{ratoi: 5%}]}\n"),
              HasSubstr("'ratoi' is no key of errors.faults; did you mean 'ratio'?"));
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nerorrs: {base: 5%}\n"),
              HasSubstr("'erorrs' is no part of a scenario; did you mean 'errors'?"));
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nerrors: {base: 0.5}\n"),
              HasSubstr("x.yaml:3:16: base: '0.5' has no unit: write 50% if it is a part of 1, "
                        "0.5% if it is a percentage"));
  EXPECT_EQ(RefusalOf("name: x\nkind: bad\nerrors:\n  base: 120%\n"),
            "x.yaml:4:9: base of 120 % is out of range: write 0 % to 100 %");
  EXPECT_EQ(RefusalOf("name: x\nkind: odd\n"),
            "x.yaml:2:7: 'odd' is no kind: write one of bearable, bad, moving");
  EXPECT_THAT(RefusalOf("name: x\nkind: movign\n"),
              HasSubstr("'movign' is no kind; did you mean 'moving'?"));
  EXPECT_THAT(
      RefusalOf("name: x\nkind: bad\nweather: bad\n"),
      HasSubstr("x.yaml:3:1: 'weather' is no part of a scenario: write one of name, what, kind"));
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nsite: {rps: many}\n"),
              HasSubstr("x.yaml:3:13: rps: 'many' is not a number: write for example 1.3"));
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nsite: {duration: 10}\n"), HasSubstr("x.yaml:3:18: "));
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nsite: 5\n"), HasSubstr("'site' is a map"));
  EXPECT_THAT(RefusalOf("name: x\nkind: bad\nerrors: {faults: {ratio: 5%}}\n"),
              HasSubstr("x.yaml:3:18: errors.faults is a list"));
}

TEST(ScenarioFile, TellsEverythingThatIsWrongAtOnce) {
  const std::string refusal = RefusalOf("kind: bad\nsite: {rps: -1, users: 0}\n");
  EXPECT_THAT(refusal, HasSubstr("rps of -1 is out of range"));
  EXPECT_THAT(refusal, HasSubstr("users of 0 is out of range"));
  EXPECT_THAT(refusal, HasSubstr("needs a name"));
}

TEST(ScenarioFile, RefusesWhatContradictsItself) {
  const std::string head = "name: x\nkind: bad\n";
  EXPECT_THAT(RefusalOf(head + "site: {rps: 1}\nsite: {rps: 2}\n"),
              HasSubstr("x.yaml:4:1: 'site' is written twice"));
  EXPECT_THAT(RefusalOf(head + "errors: {faults: [{ratio: 5%, from: 60s, until: 60s}]}\n"),
              HasSubstr("ends before it begins"));
  EXPECT_THAT(RefusalOf(head + "errors: {faults: [{ratio: 5%, every: 60s}]}\n"),
              HasSubstr("'every' and 'lasts' come together"));
  EXPECT_THAT(RefusalOf(head + "errors: {faults: [{from: 60s}]}\n"), HasSubstr("needs a 'ratio'"));
  EXPECT_THAT(RefusalOf(head + "capacity: {faults: [{from: 60s}]}\n"),
              HasSubstr("needs a 'capacity'"));
  EXPECT_THAT(RefusalOf(head + "failing_users: {part: 20%, from: 10%, to: 20%}\n"),
              HasSubstr("more users fail than there are"));
  EXPECT_THAT(RefusalOf(head + "queue: {patience: 3s, gives_up: 2s}\n"),
              HasSubstr("'gives_up' must be longer"));
  EXPECT_THAT(RefusalOf(head), HasSubstr("this bad scenario has no trouble: add errors.faults"));
  EXPECT_TRUE(ParseScenario(head + "errors: {base: 2%}\n", "x.yaml").ok());
  EXPECT_THAT(RefusalOf(head + "onset: {above: 100%}\n"), HasSubstr("can never begin"));
  EXPECT_THAT(RefusalOf(head + "onset: {at: 2h}\n"), HasSubstr("after the end of the run"));
  EXPECT_THAT(RefusalOf("name: x\nkind: bearable\nonset: {at: 1m}\n"),
              HasSubstr("only a bad scenario has an onset"));
  EXPECT_THAT(RefusalOf("name: x\n"), HasSubstr("needs a kind"));
}

TEST(ScenarioFile, RefusesWhatIsNoYaml) {
  EXPECT_THAT(RefusalOf("name: [x\n"), HasSubstr("not YAML"));
  EXPECT_THAT(RefusalOf(""), HasSubstr("0 documents"));
  EXPECT_THAT(RefusalOf("--- {name: x}\n--- {name: y}\n"), HasSubstr("2 documents"));
  EXPECT_THAT(RefusalOf("- name: x\n"), HasSubstr("a scenario is a map"));
  EXPECT_THAT(RefusalOf(std::string(70'000, '#')), HasSubstr("70000 bytes"));
  EXPECT_THAT(RefusalOf(std::string("name: x\0y\n", 10)), HasSubstr("holds a NUL byte"));
}

TEST(BuiltInScenarios, AreThoseOfTheFactsAndMore) {
  std::set<std::string> names;
  for (const Scenario& scenario : BuiltInScenarios()) {
    EXPECT_FALSE(scenario.what.empty()) << scenario.name;
    EXPECT_TRUE(names.insert(scenario.name).second) << scenario.name;
  }
  for (const char* name :
       {"H1", "H2", "H3", "H4",  "H5", "H6", "H7", "H8",  "B1", "B2", "B3", "B4", "B5", "B6",
        "B7", "B8", "B9", "B10", "M1", "M2", "M3", "M3b", "M4", "M5", "Y1", "Y2", "Y3", "Y4"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_GE(names.size(), 28U + 6U);
}

TEST(BuiltInScenarios, AreFoundByTheNameOfTheirFile) {
  for (const BuiltInText& built_in : BuiltInTexts()) {
    const absl::StatusOr<Scenario> scenario = FindScenario(built_in.name);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    EXPECT_EQ(scenario->name, built_in.name);
  }
  const absl::Status unknown = FindScenario("H99").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("there are B1, B2"));
}

TEST(Parameters, HaveDefaultsWithinTheirRanges) {
  Scenario scenario;
  for (const Parameter<Scenario>& parameter : ScenarioParameters()) {
    const double value = parameter.at(scenario);
    EXPECT_GE(value, parameter.least) << parameter.section << "." << parameter.key;
    if (value == kForever) continue;
    EXPECT_LE(value, parameter.most) << parameter.section << "." << parameter.key;
  }
}

TEST(Stretch, RepeatsWhereItIsToldTo) {
  const Stretch always;
  EXPECT_TRUE(always.Contains(0));
  const Stretch once = {.from_s = 60, .until_s = 80};
  EXPECT_FALSE(once.Contains(59));
  EXPECT_TRUE(once.Contains(60));
  EXPECT_TRUE(once.Contains(79));
  EXPECT_FALSE(once.Contains(80));
  const Stretch often = {.from_s = 50, .until_s = 200, .every_s = 100, .lasts_s = 5};
  EXPECT_TRUE(often.Contains(54));
  EXPECT_FALSE(often.Contains(55));
  EXPECT_TRUE(often.Contains(150));
  EXPECT_FALSE(often.Contains(250));
}

}  // namespace
}  // namespace headgate::rehearsal
