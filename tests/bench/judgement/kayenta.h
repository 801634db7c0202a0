// Kayenta's judge (NetflixACAJudge and MannWhitneyClassifier in kayenta-judge, MannWhitney in
// kayenta-mannwhitney, WeightedSumScorer) at the end of each step of a ramp. A step lasts five
// minutes and gives five one-minute ratios per metric. A metric is High when the lower end of the
// 98 % interval of its shift over the baseline is above a quarter of the estimated shift; one that
// is High fails the step, NaN minutes are left out, and when no metric has any value at all the
// score is 0, which fails it too. Nothing is judged after the last step.
//
// A restoration has no baseline group beside it: this one is given a baseline that is just
// bearable, at the limits, with as many requests in each minute. That flatters it: a real one would
// be as noisy as the incident. Its optional removal of outliers is left out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

inline constexpr std::int64_t kKayentaStep_s = 300;
inline constexpr std::int64_t kKayentaSample_s = 60;

enum class Classification { kPass, kHigh, kNoData };

Classification Classify(std::span<const double> control, std::span<const double> experiment);

std::unique_ptr<Policy> MakeKayenta(const Site& site);

}  // namespace headgate::bench
