#include "controller/database/chunker.h"

#include <algorithm>

namespace headgate::database {

void ChunkSize::Took(std::size_t rows, Microseconds busy) {
  // Of a few rows' time the statement's own cost is the larger part.
  if (rows < kRowsMin / 2) return;
  const Microseconds wanted = kStatementMax / 2;
  const double per_row = std::max(0.01, double(busy.count()) / double(rows));
  const auto fitting = static_cast<std::size_t>(double(wanted.count()) / per_row);
  rows_ = std::clamp(std::clamp(fitting, rows_ / 2, rows_ * 2), kRowsMin, kRowsMax);
}

Duration Throttle::RestAfter(Microseconds busy) {
  owed_ = std::min(kRestMax, owed_ + busy * (100 - percent_) / percent_);
  const auto rest = std::chrono::duration_cast<Duration>(owed_);
  owed_ -= rest;
  return rest;
}

}  // namespace headgate::database
