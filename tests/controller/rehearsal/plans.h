// Plans to rehearse.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/plan.h"

namespace headgate::rehearsal {

inline engine::CheckSpec ErrorsCheck(std::uint32_t limit_ppm = 10'000) {
  return {.name = "errors",
          .kind = engine::RatioCheck{.source = engine::AgentRatio{}, .limit_ppm = limit_ppm}};
}

inline engine::CheckSpec SlowCheck() {
  return {.name = "slow",
          .kind = engine::RatioCheck{
              .source = engine::AgentRatio{.metric = engine::AgentRatio::Metric::kSlowerThan,
                                           .slower_than = Duration(500)},
              .limit_ppm = 10'000}};
}

// Errors and slow answers at 1 %, steps of 1, 5, 25 and 100 %.
inline engine::PlanSpec ShopSpec() {
  engine::PlanSpec spec;
  spec.gate = "shop";
  spec.agents = {"edge-1", "edge-2"};
  spec.checks = {ErrorsCheck(), SlowCheck()};
  for (const std::uint32_t ppm : {10'000U, 50'000U, 250'000U, 1'000'000U}) {
    spec.steps.push_back(Share::FromPpm(ppm).value());
  }
  return spec;
}

// The same with steps that follow the evidence.
inline engine::PlanSpec AdaptiveSpec() {
  engine::PlanSpec spec = ShopSpec();
  spec.steps.clear();
  spec.adaptive = engine::AdaptiveSteps{
      .utilisation = engine::PrometheusValue{.query = "busy", .every = Duration(1'000)}};
  spec.bake_min = engine::kBakeLeastAdaptive;
  return spec;
}

inline engine::Plan PlanOf(engine::PlanSpec spec) {
  return engine::Plan::Create(std::move(spec)).value();
}

}  // namespace headgate::rehearsal
