#include "controller/rehearsal/score.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "common/base/check.h"

namespace headgate::rehearsal {
namespace {

constexpr double kServedLeast = 0.95;
constexpr double kServedFor_s = 60;

// The smallest value that is not below `part` of all; none if that is "never".
std::optional<double> Quantile(const std::vector<double>& ordered, double part) {
  const double rank = std::ceil(part * double(ordered.size()));
  const double value = ordered[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  return std::isinf(value) ? std::nullopt : std::optional(value);
}

using Figure = std::function<std::optional<double>(const RunScore&)>;

Spread SpreadOf(std::span<const RunScore> runs, const Figure& figure) {
  std::vector<double> ordered;
  Spread spread;
  double counted = 0;
  for (const RunScore& run : runs) {
    const std::optional<double> value = figure(run);
    ordered.push_back(value.value_or(kForever));
    spread.mean += value.value_or(0);
    counted += value ? 1 : 0;
  }
  std::sort(ordered.begin(), ordered.end());
  spread.mean /= std::max(counted, 1.0);
  spread.p05 = Quantile(ordered, 0.05);
  spread.median = Quantile(ordered, 0.5);
  spread.p95 = Quantile(ordered, 0.95);
  return spread;
}

// What a bad platform shows before its onset.
void AddEarly(std::span<const RunScore> runs, Aggregate& all) {
  double sound_s = 0;
  double retreats = 0;
  double with_any = 0;
  for (const RunScore& run : runs) {
    sound_s += run.sound_s;
    retreats += run.early_retreats;
    with_any += run.early_retreats > 0 ? 1 : 0;
  }
  if (sound_s == 0) return;
  all.early_retreats = with_any / double(runs.size());
  all.early_retreats_per_hour = retreats * 3'600 / sound_s;
}

}  // namespace

Scorer::Scorer(const Scenario& scenario)
    : kind_(scenario.kind),
      onset_(scenario.onset),
      kum_per_second_(scenario.site.users / 1'000 / 60) {}

void Scorer::Add(const Truth& truth, bool retreated) {
  score_.lost_kum += kum_per_second_ * (1 - std::min(truth.served, 1.0));
  score_.errors += truth.errors;
  score_.collapse_s += truth.is_collapsed ? 1 : 0;
  score_.retreats += retreated ? 1 : 0;
  if (!began_s_ && second_ >= onset_.at_s &&
      (onset_.above_share <= 0 || truth.share > onset_.above_share)) {
    began_s_ = second_;
  }
  if (kind_ == Kind::kBad && !began_s_) {
    ++score_.sound_s;
    score_.early_retreats += retreated ? 1 : 0;
  }
  if (kind_ == Kind::kBad && retreated && began_s_ && !score_.delay_s) {
    score_.delay_s = second_ - *began_s_;
  }
  if (truth.served < kServedLeast) served_since_s_ = second_ + 1;
  ++second_;
  if (!score_.to_full_s && second_ - served_since_s_ >= kServedFor_s) {
    score_.to_full_s = served_since_s_;
  }
}

Aggregate Aggregated(const Scenario& scenario, std::span<const RunScore> runs) {
  HEADGATE_CHECK(!runs.empty());
  Aggregate all;
  all.runs = std::ssize(runs);
  all.lost_kum = SpreadOf(runs, [](const RunScore& run) { return run.lost_kum; });
  all.to_full_s = SpreadOf(runs, [](const RunScore& run) { return run.to_full_s; });
  all.errors = SpreadOf(runs, [](const RunScore& run) { return run.errors; });
  all.collapse_s = SpreadOf(runs, [](const RunScore& run) { return run.collapse_s; });
  all.retreats = SpreadOf(runs, [](const RunScore& run) { return double(run.retreats); });
  if (scenario.kind == Kind::kBad) {
    all.delay_s = SpreadOf(runs, [](const RunScore& run) { return run.delay_s; });
    AddEarly(runs, all);
  }
  if (scenario.kind == Kind::kBearable) {
    const auto retreated = std::count_if(runs.begin(), runs.end(),
                                         [](const RunScore& run) { return run.retreats > 0; });
    all.false_retreats = double(retreated) / double(runs.size());
  }
  return all;
}

}  // namespace headgate::rehearsal
