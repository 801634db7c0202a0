#include "controller/engine/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::engine {
namespace {

using testing::HasSubstr;

TEST(AsList, SaysHowManyLinesDidNotFitAndAlwaysShowsTheFirst) {
  EXPECT_EQ(AsList("head:", {"a", "b"}), "head:\n  a\n  b");
  const std::vector<std::string> findings(60, std::string(100, 'x'));
  const std::string cut = AsList("head:", findings);
  EXPECT_LE(cut.size(), kListBytesMax + 20);
  EXPECT_THAT(cut, HasSubstr("\n  and 41 more"));
  EXPECT_THAT(AsList("head:", {std::string(5'000, 'x')}), HasSubstr("head:\n  xxx"));
  EXPECT_LE(AsList("head:", {std::string(5'000, 'x')}).size(), kListBytesMax + 20);
}

TEST(Explain, NamesTheShareThatApprovalIsAskedForAndNotHowFarTheEvidenceGoes) {
  PlanSpec spec;
  spec.gate = "shop";
  spec.agents = {"edge-1"};
  spec.adaptive.emplace();
  spec.approve_at = {*Share::FromPpm(300'000)};
  spec.checks.push_back({.name = "errors", .kind = RatioCheck{.limit_ppm = 10'000}});
  const auto plan = Plan::Create(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  Gate gate;
  gate.record.gate = "shop";
  gate.record.share = *Share::FromPpm(160'000);
  gate.record.restoration = Restoration{.id = "shop-1",
                                        .plan = *plan,
                                        .passed_preflight = true,
                                        .phase = WaitingForApproval{spec.approve_at[0]}};
  PrepareEvidence(gate.evidence, spec);
  EXPECT_EQ(Explain(State(), gate, TimePoint()).next, spec.approve_at[0]);
}

}  // namespace
}  // namespace headgate::engine
