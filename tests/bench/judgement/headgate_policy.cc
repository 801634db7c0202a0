#include "tests/bench/judgement/headgate_policy.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "controller/rehearsal/restorer.h"
#include "tests/bench/judgement/restarted.h"

namespace headgate::bench {
namespace {

using engine::AgentRatio;

engine::CheckSpec RatioOf(std::string name, AgentRatio source, double limit) {
  return {.name = std::move(name),
          .kind = engine::RatioCheck{
              .source = source,
              .limit_ppm = static_cast<std::uint32_t>(std::lround(limit * Share::kPpmMax))}};
}

// What a shop would write: both limits of the scenario, and nothing tuned.
engine::Plan PlanFor(const Site& site) {
  engine::PlanSpec spec;
  spec.gate = "shop";
  spec.agent_count = 1;
  spec.ready_for = Duration(0);
  spec.checks = {
      RatioOf("errors", {.metric = AgentRatio::Metric::kHttp5xx}, site.limits.errors),
      RatioOf("slow", {.metric = AgentRatio::Metric::kSlowerThan, .slower_than = Duration(500)},
              site.limits.slow)};
  spec.adaptive = engine::AdaptiveSteps{
      .utilisation = engine::PrometheusValue{.query = "busy", .every = Duration(1'000)}};
  spec.bake_min = engine::kBakeLeastAdaptive;
  // The judgement is tried for the whole hour.
  spec.watch = Duration(3'600'000);
  absl::StatusOr<engine::Plan> plan = engine::Plan::Create(std::move(spec));
  HEADGATE_CHECK(plan.ok());
  return *std::move(plan);
}

class HeadgatePolicy : public Policy {
 public:
  HeadgatePolicy(const Site& site, bool sees_utilisation)
      : restorer_(PlanFor(site), {.rps = site.rps,
                                  .sees_utilisation = sees_utilisation,
                                  .resumed_after = kPersonTakes_s * Duration(1'000)}) {}

  Share Decide(const rehearsal::Seen& seen) override { return restorer_.Decide(seen); }
  bool RetreatedNow() const override { return restorer_.RetreatedNow(); }

 private:
  rehearsal::Restorer restorer_;
};

}  // namespace

std::unique_ptr<Policy> MakeHeadgate(const Site& site) {
  return std::make_unique<HeadgatePolicy>(site, true);
}
std::unique_ptr<Policy> MakeHeadgateWithoutDatabase(const Site& site) {
  return std::make_unique<HeadgatePolicy>(site, false);
}

}  // namespace headgate::bench
