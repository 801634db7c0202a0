#include "controller/plan/to_engine.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "controller/engine/field_errors.h"
#include "controller/plan/plan.h"

namespace headgate::plan {
namespace {

using namespace std::chrono_literals;

engine::PlanSpec Load(const std::string& extra, const std::string& check = "") {
  const auto plan =
      LoadPlan("gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n  - " +
                   (check.empty() ? "{name: errors, ratio: agents.http_5xx, limit: 1%}" : check) +
                   "\n" + extra,
               "p.yaml");
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? plan->spec() : engine::PlanSpec();
}

TEST(ToEngine, FillsInTheDocumentedDefaults) {
  const engine::PlanSpec spec = Load("");
  EXPECT_EQ(spec.admit_by, "cookie headgate_uid");
  EXPECT_EQ(spec.ready_for, 30s);
  EXPECT_TRUE(spec.steps.empty());
  EXPECT_EQ(spec.adaptive, engine::AdaptiveSteps());
  EXPECT_EQ(spec.bake_min, 7s);
  EXPECT_EQ(spec.bake_max, 5min);
  EXPECT_EQ(spec.patience, 30s);
  EXPECT_EQ(spec.on_unknown, engine::OnUnknown::kHold);
  EXPECT_EQ(spec.watch, 15min);
  EXPECT_EQ(spec.retries, 3U);
  EXPECT_EQ(spec.backoff, 20s);
  ASSERT_EQ(spec.checks.size(), 1U);
  const engine::CheckSpec& check = spec.checks[0];
  EXPECT_EQ(check.fresh, 5s);
  EXPECT_EQ(check.on_failure, engine::OnFailure::kRetreat);
  const auto& ratio = std::get<engine::RatioCheck>(check.kind);
  EXPECT_EQ(ratio.limit_ppm, 10'000U);
  EXPECT_EQ(ratio.window, 30s);
  EXPECT_EQ(ratio.min_sample, 50U);
}

TEST(ToEngine, AListOfStepsBakesForTenSeconds) {
  const engine::PlanSpec spec = Load("ramp: {steps: [5%, 100%]}\n");
  EXPECT_FALSE(spec.adaptive);
  EXPECT_EQ(spec.steps.size(), 2U);
  EXPECT_EQ(spec.bake_min, 10s);
}

TEST(ToEngine, AFirstShareOfAutoFollowsFromTheDemand) {
  EXPECT_EQ(Load("ramp: {first: auto}\n").adaptive, engine::AdaptiveSteps());
  EXPECT_EQ(Load("ramp: {first: 3%}\n").adaptive->first, *Share::FromPpm(30'000));
}

TEST(ToEngine, FreshAndWindowFollowPrometheusPolls) {
  const engine::PlanSpec slow =
      Load("", "{name: payments, limit: 1%, ratio: {prometheus: {bad: b, total: t, every: 2m}}}");
  EXPECT_EQ(slow.checks[0].fresh, 4min);
  EXPECT_EQ(std::get<engine::RatioCheck>(slow.checks[0].kind).window, 2min);
  const engine::PlanSpec rare =
      Load("", "{name: payments, limit: 1%, ratio: {prometheus: {bad: b, total: t, every: 1h}}}");
  EXPECT_EQ(rare.checks[0].fresh, 1h);
  const engine::PlanSpec value =
      Load("", "{name: cpu, bound: 80..95, value: {prometheus: {query: q}}}");
  EXPECT_EQ(value.checks[0].fresh, 10s);
  EXPECT_EQ(std::get<engine::ValueCheck>(value.checks[0].kind).hysteresis_ppm, 50'000U);
}

TEST(ToEngine, AZeroThatIsWrittenIsNotADefault) {
  const engine::PlanSpec spec =
      Load("then: {retries: 0, watch: 0s}\n",
           "{name: cpu, bound: 80..95, hysteresis: 0%, value: {prometheus: {query: q}}}");
  EXPECT_EQ(spec.retries, 0U);
  EXPECT_EQ(spec.watch, 0s);
  EXPECT_EQ(std::get<engine::ValueCheck>(spec.checks[0].kind).hysteresis_ppm, 0U);
}

TEST(ToEngine, ACheckThatDoesNotSayReactsAsThePlanSays) {
  EXPECT_EQ(Load("then: {on_failure: drain}\n").checks[0].on_failure, engine::OnFailure::kDrain);
  EXPECT_EQ(Load("then: {on_failure: drain}\n",
                 "{name: e, ratio: agents.http_5xx, limit: 1%, on_failure: hold}")
                .checks[0]
                .on_failure,
            engine::OnFailure::kHold);
}

TEST(ToEngine, TheSamePlanHasTheSameSource) {
  v1::Plan one = *FromSource(Load("").source);
  v1::Plan two = one;
  for (const char* name : {"a", "b", "c", "d"})
    (*one.mutable_databases())[name].set_primary("host=x");
  for (const char* name : {"d", "c", "b", "a"})
    (*two.mutable_databases())[name].set_primary("host=x");
  for (v1::Plan* plan : {&one, &two}) {
    for (auto& [name, database] : *plan->mutable_databases()) database.set_engine(v1::POSTGRES);
  }
  ASSERT_TRUE(ToEngine(one).ok()) << ToEngine(one).status();
  EXPECT_EQ(ToEngine(one)->spec().source, ToEngine(two)->spec().source);
}

TEST(ToEngine, NamesTheFieldForCallersWithoutAFile) {
  v1::Plan plan;
  plan.set_gate("shop");
  plan.mutable_preflight()->add_agents("edge-1");
  plan.add_checks()->set_name("errors");
  plan.mutable_ramp()->mutable_steps()->add_shares_ppm(2'000'000);
  const std::vector<engine::FieldError> errors = engine::FieldErrors::From(ToEngine(plan).status());
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].path, "checks[0]");
  EXPECT_EQ(errors[1].path, "ramp.steps[0]");
  EXPECT_EQ(errors[2].path, "ramp.steps");
}

TEST(ToEngine, BytesThatAreNoPlanAreDataLoss) {
  EXPECT_EQ(FromSource("\xff\xff").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace headgate::plan
