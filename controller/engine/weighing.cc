#include "controller/engine/weighing.h"

#include <algorithm>
#include <cmath>

namespace headgate::engine {
namespace {

constexpr double kMassOfChanges = 0.6;

}  // namespace

double MassOfChange(std::uint32_t change) {
  return kMassOfChanges / (double(change) * (double(change) + 1));
}

void Weighed::Add(const Batch& batch, bool is_steady, bool speaks_for) {
  const double pieces = std::max(1.0, std::ceil(batch.seconds - 1e-9));
  const Batch piece{batch.seconds / pieces, batch.total / pieces, batch.bad / pieces};
  for (double i = 0; i < pieces; ++i) {
    recent.Add(piece);
    evidence.AddAgainst(piece, kMassPerSecond * piece.seconds, is_steady);
    if (speaks_for) evidence.AddFor(piece);
  }
}

double Weighed::Ratio(double seconds) const {
  const Batch sum = recent.Sum(seconds);
  return sum.total > 0 ? sum.bad / sum.total : 0;
}

}  // namespace headgate::engine
