#include "controller/engine/plan.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "controller/engine/field_errors.h"
#include "controller/engine/plan_limits.h"

namespace headgate::engine {
namespace {

using namespace std::chrono_literals;

PlanSpec Good() {
  PlanSpec spec;
  spec.gate = "shop";
  spec.agents = {"edge-1", "edge-2"};
  spec.checks = {
      CheckSpec{.name = "errors", .kind = RatioCheck{.source = AgentRatio{}, .limit_ppm = 10'000}}};
  spec.steps = {*Share::FromPpm(10'000), *Share::FromPpm(500'000), Share::All()};
  return spec;
}

// The paths that Create refuses.
std::vector<std::string> Refused(PlanSpec spec) {
  const auto plan = Plan::Create(std::move(spec));
  std::vector<std::string> paths;
  if (plan.ok()) return paths;
  for (const FieldError& error : FieldErrors::From(plan.status())) {
    EXPECT_FALSE(error.text.empty());
    paths.push_back(error.path);
  }
  return paths;
}

using Paths = std::vector<std::string>;

TEST(Plan, IsAValueThatExistsOnlyIfItIsValid) {
  const auto plan = Plan::Create(Good());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->spec(), Good());
}

TEST(Plan, TheEmptySpecIsRefusedForEveryReasonAtOnce) {
  EXPECT_EQ(Refused(PlanSpec{}), (Paths{"gate", "preflight.agent_count", "checks", "ramp.steps"}));
}

TEST(Plan, BoundsOfTimesAreInclusive) {
  PlanSpec spec = Good();
  spec.ready_for = 1h;
  spec.patience = 1s;
  spec.bake_min = spec.bake_max = 1s;
  spec.watch = 24h;
  spec.backoff = 1h;
  spec.checks[0].fresh = 1s;
  EXPECT_EQ(Refused(spec), Paths{});
  spec.ready_for = 1h + 1ms;
  spec.patience = 999ms;
  spec.bake_min = spec.bake_max = 999ms;
  spec.watch = 24h + 1ms;
  spec.backoff = 1h + 1ms;
  spec.checks[0].fresh = 999ms;
  EXPECT_EQ(Refused(spec), (Paths{"preflight.ready_for", "checks[0].fresh", "ramp.bake",
                                  "ramp.patience", "then.watch", "then.backoff"}));
}

TEST(Plan, StepsStrictlyIncreaseToEverybody) {
  PlanSpec spec = Good();
  const std::vector<std::pair<std::vector<std::uint32_t>, Paths>> cases = {
      {{}, {"ramp.steps"}},
      {{1'000'000}, {}},
      {{0, 1'000'000}, {"ramp.steps[0]"}},
      {{20'000, 10'000, 1'000'000}, {"ramp.steps[1]"}},
      {{10'000, 10'000, 1'000'000}, {"ramp.steps[1]"}},
      {{10'000, 999'999}, {"ramp.steps[1]"}},
      {{20'000, 10'000}, {"ramp.steps[1]"}}};
  for (const auto& [steps, paths] : cases) {
    spec.steps.clear();
    for (const std::uint32_t ppm : steps) spec.steps.push_back(*Share::FromPpm(ppm));
    EXPECT_EQ(Refused(spec), paths);
  }
}

TEST(Plan, EveryLimitHasAnAnswer) {
  PlanSpec spec = Good();
  for (std::size_t i = 0; i <= kChecksMax; ++i) {
    spec.checks.push_back(spec.checks[0]);
    spec.checks.back().name = "check-" + std::to_string(i);
  }
  for (std::size_t i = 0; i <= kAgentsMax; ++i) spec.agents.push_back("a" + std::to_string(i));
  for (std::size_t i = 0; i <= kDatabasesMax; ++i) {
    spec.databases["d" + std::to_string(i)].primary = "host=x";
  }
  spec.steps.assign(kStepsMax + 1, Share::All());
  EXPECT_EQ(Refused(spec), (Paths{"preflight.agents", "checks", "ramp.steps", "databases"}));
}

TEST(Plan, EveryLimitOfADatabaseHasAnAnswer) {
  PlanSpec spec = Good();
  DatabaseSpec& database = spec.databases["orders"];
  database.primary = "host=db0";
  for (std::size_t i = 1; i <= kReplicasMax + 1; ++i) {
    database.replicas.push_back(ReplicaSpec{.name = "db" + std::to_string(i),
                                            .dsn = "",
                                            .kind = ReplicaSpec::Kind::kPhysical,
                                            .out = true});
  }
  for (std::size_t i = 0; i <= kSchemasMax; ++i) {
    database.schemas.push_back("s" + std::to_string(i));
  }
  EXPECT_EQ(Refused(spec), (Paths{"databases.orders.replicas", "databases.orders.schemas"}));
}

TEST(Plan, QueriesAndUrlsHaveALength) {
  PlanSpec spec = Good();
  PrometheusRatio source;
  source.bad = std::string(kQueryBytesMax + 1, 'b');
  source.total = "t";
  source.sampled_by = std::string(kQueryBytesMax + 1, 's');
  spec.checks[0].kind = RatioCheck{.source = source, .limit_ppm = 1};
  spec.checks[0].fresh = 1min;
  spec.prometheus_url = "http://" + std::string(kUrlBytesMax, 'h');
  EXPECT_EQ(Refused(spec), (Paths{"prometheus", "checks[0].ratio.prometheus.bad",
                                  "checks[0].ratio.prometheus.sampled_by"}));
}

TEST(Plan, ABoundIsTwoDifferentNumbers) {
  PlanSpec spec = Good();
  ValueCheck value;
  value.source.query = "q";
  spec.checks[0].fresh = 10s;
  for (const auto& [soft, hard, is_good] :
       {std::tuple(80.0, 95.0, true), std::tuple(95.0, 80.0, true), std::tuple(0.0, 0.0, false),
        std::tuple(std::numeric_limits<double>::quiet_NaN(), 1.0, false),
        std::tuple(1.0, std::numeric_limits<double>::infinity(), false)}) {
    value.soft = soft;
    value.hard = hard;
    spec.checks[0].kind = value;
    EXPECT_EQ(Refused(spec), is_good ? Paths{} : Paths{"checks[0].bound"}) << soft << ".." << hard;
  }
}

TEST(FieldErrors, SurviveTheWayThroughAStatus) {
  FieldErrors errors;
  errors.Add("a.b", "first");
  errors.Add("", "of the whole");
  errors.Add("c[1]", "with\na line break");
  EXPECT_EQ(FieldErrors::From(errors.ToStatus()),
            (std::vector<FieldError>{
                {"a.b", "first"}, {"", "of the whole"}, {"c[1]", "with a line break"}}));
}

TEST(FieldErrors, AConsequenceIsNotTold) {
  FieldErrors errors;
  errors.Add("checks[0]", "looks at nothing");
  errors.Add("checks[0].limit", "missing");
  errors.Add("checks[01]", "another");
  EXPECT_EQ(errors.errors().size(), 2U);
}

TEST(FieldErrors, TellAtMostTwentyAndCountTheRest) {
  FieldErrors errors;
  for (int i = 0; i < 23; ++i) errors.Add("f" + std::to_string(i), "x");
  const absl::Status status = errors.ToStatus();
  EXPECT_TRUE(std::string(status.message()).ends_with("\nf19: x\nand 3 more errors")) << status;
  // Who knows better where each belongs has all of them.
  EXPECT_EQ(FieldErrors::From(status), errors.errors());
}

TEST(FieldErrors, AQuotedValueIsShortAndPrintable) {
  EXPECT_EQ(Quoted("a\nb"), "'a b'");
  EXPECT_EQ(Quoted(std::string(100, 'x')), "'" + std::string(60, 'x') + "…'");
  EXPECT_EQ(Quoted(std::string(59, 'x') + "ü" + std::string(9, 'y')),
            "'" + std::string(59, 'x') + "…'");
}

}  // namespace
}  // namespace headgate::engine
