#include "tests/bench/judgement/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace headgate::bench {
namespace {

// Of the whole span of the differences, where the search for a bound ends.
constexpr double kPrecision = 1e-6;

// The standardised rank sum of `experiment - shift` among both; falls as `shift` grows. None if
// all values are tied.
std::optional<double> Score(std::span<const double> control, std::span<const double> experiment,
                            double shift) {
  std::vector<std::pair<double, bool>> all;
  for (const double value : control) all.emplace_back(value, false);
  for (const double value : experiment) all.emplace_back(value - shift, true);
  std::sort(all.begin(), all.end());
  double ranks = 0;
  double ties = 0;
  for (std::size_t first = 0; first < all.size();) {
    std::size_t end = first;
    double of_experiment = 0;
    for (; end < all.size() && all[end].first == all[first].first; ++end) {
      of_experiment += all[end].second ? 1 : 0;
    }
    const double tied = double(end - first);
    ranks += of_experiment * (double(first + end + 1) / 2);
    ties += tied * tied * tied - tied;
    first = end;
  }
  const double m = double(experiment.size());
  const double n = double(control.size());
  const double total = m + n;
  const double variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return std::nullopt;
  const double distance = ranks - m * (m + 1) / 2 - m * n / 2;
  const double correction = distance == 0 ? 0 : std::copysign(0.5, distance);
  return (distance - correction) / std::sqrt(variance);
}

// Where the score passes through `quantile`, or the end beyond which it would.
std::optional<double> Root(std::span<const double> control, std::span<const double> experiment,
                           double quantile) {
  const auto [control_least, control_most] = std::minmax_element(control.begin(), control.end());
  const auto [least, most] = std::minmax_element(experiment.begin(), experiment.end());
  double low = *least - *control_most;
  double high = *most - *control_least;
  const std::optional<double> at_low = Score(control, experiment, low);
  const std::optional<double> at_high = Score(control, experiment, high);
  if (!at_low || !at_high) return std::nullopt;
  if (*at_low <= quantile) return low;
  if (*at_high >= quantile) return high;
  const double enough = (high - low) * kPrecision;
  while (high - low > enough) {
    const double middle = low + (high - low) / 2;
    const std::optional<double> score = Score(control, experiment, middle);
    if (!score) return std::nullopt;
    (*score > quantile ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

}  // namespace

std::optional<Shift> ShiftBetween(std::span<const double> control,
                                  std::span<const double> experiment, double quantile) {
  const std::optional<double> low = Root(control, experiment, quantile);
  const std::optional<double> high = Root(control, experiment, -quantile);
  const std::optional<double> estimate = Root(control, experiment, 0);
  if (!low || !high || !estimate) return std::nullopt;
  return Shift{.low = *low, .high = *high, .estimate = *estimate};
}

}  // namespace headgate::bench
