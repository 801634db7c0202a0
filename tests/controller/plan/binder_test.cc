#include "controller/plan/binder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "controller/plan/scalars.h"
#include "headgate/v1/journal.pb.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::plan {
namespace {

struct Bound {
  std::string errors;
  Positions positions;
};

Bound BindText(const std::string& text, google::protobuf::Message& message) {
  Problems problems("f.yaml");
  Bound bound;
  const YamlNode root = ReadYaml(text, problems);
  Bind(root, ShortForms{}, message, bound.positions, problems);
  bound.errors = std::string(problems.ToStatus().message());
  return bound;
}

TEST(Binder, KnowsNoPlanOnlySchemas) {
  v1::GateRecord record;
  const Bound bound = BindText(
      "gate: shop\nversion: {epoch: 18446744073709551615, revision: 7}\nshare: 12.5%\n"
      "no_raise: true\nopen_until_unix_ms: -5\nrequest_ids: [a, '1']\n"
      "restoration: {holding: {why: retries_exhausted}}\n",
      record);
  EXPECT_EQ(bound.errors, "");
  EXPECT_EQ(record.version().epoch(), UINT64_MAX);
  EXPECT_EQ(record.share_ppm(), 125'000U);
  EXPECT_TRUE(record.no_raise());
  EXPECT_EQ(record.open_until_unix_ms(), -5);
  EXPECT_EQ(record.request_ids_size(), 2);
  EXPECT_EQ(record.restoration().holding().why(), v1::HoldingPhase::RETRIES_EXHAUSTED);
}

TEST(Binder, BindsMapsOfScalarsAndDoubles) {
  v1::Agent agent;
  EXPECT_EQ(BindText("labels: {zone: a}\nrequests_per_second: 1.5e3\n", agent).errors, "");
  EXPECT_EQ(agent.labels().at("zone"), "a");
  EXPECT_EQ(agent.requests_per_second(), 1500.0);
}

TEST(Binder, RefusesNumbersThatDoNotFit) {
  v1::GateRecord record;
  EXPECT_EQ(BindText("version: {epoch: 18446744073709551616}", record).errors,
            "f.yaml:1:18: version.epoch: '18446744073709551616' is out of range: write a whole "
            "number from 0 up");
  v1::Agent agent;
  EXPECT_NE(BindText("requests_per_second: .inf", agent).errors, "");
  EXPECT_NE(BindText("requests_per_second: inf", agent).errors, "");
  EXPECT_NE(BindText("requests_per_second: nan", agent).errors, "");
}

TEST(Binder, RefusesYamlsOtherBools) {
  v1::GateRecord record;
  for (const char* text : {"yes", "on", "True", "1", "'true'"}) {
    EXPECT_NE(BindText(std::string("no_raise: ") + text, record).errors, "") << text;
  }
}

TEST(Binder, TellsWhereEachFieldStandsAndFallsBackToWhatIsAroundIt) {
  v1::GateRecord record;
  Positions positions = BindText("gate: shop\nrestoration:\n  plan: {gate: x}\n", record).positions;
  EXPECT_EQ(positions.Find("restoration.plan.gate"), (Position{.line = 3, .column = 16}));
  EXPECT_EQ(positions.Find("restoration.plan.checks[3].limit"), (Position{.line = 3, .column = 9}));
  EXPECT_EQ(positions.Find("version"), (Position{.line = 1, .column = 1}));
}

TEST(Binder, TellsAtMostTwentyAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "unknown" + std::to_string(i) + ": 1\n";
  v1::GateRecord record;
  const std::string errors = BindText(text, record).errors;
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 20);
  EXPECT_NE(errors.find("f.yaml: and 5 more errors"), std::string::npos);
}

TEST(Binder, AFileNameCannotForgeALine) {
  Problems problems("a\nb.yaml");
  problems.Add(Position{.line = 1, .column = 2}, "x\ny");
  EXPECT_EQ(std::string(problems.ToStatus().message()), "a?b.yaml:1:2: x y");
}

TEST(Binder, EnumNamesLoseTheirPrefixOnlyWhereTheyHaveOne) {
  EXPECT_EQ(Join(NamesOf(*v1::OnUnknown_descriptor())), "hold, retreat");
  EXPECT_EQ(Join(NamesOf(*v1::OnFailure_descriptor())), "retreat, drain, hold");
  EXPECT_EQ(Join(NamesOf(*v1::BadAbsent_descriptor())), "unknown, zero");
  EXPECT_EQ(Join(NamesOf(*v1::AgentRatio::Metric_descriptor())),
            "http_5xx, connection_errors, slower_than");
}

}  // namespace
}  // namespace headgate::plan
