// How much somebody may do: so much a second, and so much saved up at most (a token bucket). A
// value; time is told.
#pragma once

#include <algorithm>
#include <optional>

#include "common/base/clock.h"

namespace headgate {

class Allowance {
 public:
  // Begins full.
  Allowance(double per_second, double saved_max)
      : per_second_(per_second), saved_max_(saved_max), left_(saved_max) {}

  // False: there is none left.
  bool Take(TimePoint now) {
    if (last_ && now > *last_) {
      left_ = std::min(saved_max_, left_ + per_second_ * double((now - *last_).count()) / 1'000);
    }
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double saved_max_;
  double left_;
  std::optional<TimePoint> last_;
};

}  // namespace headgate
