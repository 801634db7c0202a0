// Flagger's loop, after its advanceCanary (pkg/controller/scheduler.go), runBuiltinMetricChecks
// (pkg/controller/scheduler_metrics.go) and GetAnalysisThreshold (pkg/apis/flagger/v1beta1/
// canary.go). Every interval, in this order:
//   1. as many failed checks as the threshold: all traffic back, at once. It is tested before the
//      analysis, so the last failure acts an interval late;
//   2. the analysis over the metrics' range: a value beyond its threshold, no value (NaN) or a
//      failed query adds one to the failed checks and ends the turn. A success takes none away;
//   3. otherwise the next weight, or, after an analysis at the last weight, promotion: nothing is
//      analysed after it.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

struct FlaggerSettings {
  std::int64_t interval_s = 60;
  int threshold = 1;
  // The range of the metrics' queries.
  std::size_t range_s = 60;
};

// `interval: 1m`, `threshold: 5`: its tutorials.
inline constexpr FlaggerSettings kFlaggerTutorial = {.interval_s = 60, .threshold = 5};
// What counts when nothing is set.
inline constexpr FlaggerSettings kFlaggerDefault = {.interval_s = 60, .threshold = 1};
// The shortest interval that it accepts.
inline constexpr FlaggerSettings kFlaggerFloor = {.interval_s = 10, .threshold = 5};

std::unique_ptr<Policy> MakeFlagger(const Site& site, const FlaggerSettings& settings);

}  // namespace headgate::bench
