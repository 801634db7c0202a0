// The Mann-Whitney (Wilcoxon) rank-sum confidence interval of a shift between two samples, by the
// normal approximation with ties and a correction for continuity, as R's wilcox.test and Kayenta
// have it. Pure.
#pragma once

#include <optional>
#include <span>

namespace headgate::bench {

struct Shift {
  double low = 0;
  double high = 0;
  // Hodges and Lehmann's estimate.
  double estimate = 0;
};

// Of `experiment` over `control`, which are not empty; `quantile` is the normal quantile of the
// interval's upper end. None if all values are tied.
std::optional<Shift> ShiftBetween(std::span<const double> control,
                                  std::span<const double> experiment, double quantile);

}  // namespace headgate::bench
