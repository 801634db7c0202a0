// Argo Rollouts: a canary of setWeight and pause with a background analysis, after
// generateMetricTasks, runMeasurements and assessMetricStatus (analysis/analysis.go) and
// EvaluateResult (utils/evaluate/evaluate.go). A measurement that meets the failureCondition adds
// to a total that no success reduces; above failureLimit the rollout is aborted, at once. A query
// that fails is an error, retried; more than consecutiveErrorLimit of them in a row abort. NaN
// meets no condition: with a failureCondition alone it counts as a success. The pause at 100 % is
// the last step; with it the analysis ends.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

struct ArgoSettings {
  std::int64_t pause_s = 300;
  std::int64_t interval_s = 60;
  std::int64_t failure_limit = 0;
  std::int64_t consecutive_error_limit = 4;
  std::int64_t error_retry_s = 10;
  std::size_t range_s = 60;
};

// Pauses of 5 min and a failureLimit of 3, as in its documentation, judged each minute.
inline constexpr ArgoSettings kArgoDocumented = {
    .pause_s = 300, .interval_s = 60, .failure_limit = 3, .range_s = 60};
// Everything as tight as Flagger's floor, and failureLimit's default.
inline constexpr ArgoSettings kArgoTight = {
    .pause_s = 10, .interval_s = 10, .failure_limit = 0, .range_s = 10};

std::unique_ptr<Policy> MakeArgo(const Site& site, const ArgoSettings& settings);

}  // namespace headgate::bench
