#include "controller/engine/count_window.h"

#include <algorithm>

namespace headgate::engine {

CountWindow::CountWindow(Duration span)
    : span_(span), slot_width_(std::max(kSlotMin, span / kSlots)) {}

void CountWindow::Add(TimePoint at, Tally tally) {
  while (!slots_.empty() && IsForgotten(slots_.front(), at)) slots_.pop_front();
  if (slots_.empty() || at >= slots_.back().start + slot_width_) slots_.push_back({at, {}});
  slots_.back().tally.total += tally.total;
  slots_.back().tally.bad += tally.bad;
}

Tally CountWindow::Sum(TimePoint now) const {
  Tally sum;
  for (const Slot& slot : slots_) {
    if (IsForgotten(slot, now)) continue;
    sum.total += slot.tally.total;
    sum.bad += slot.tally.bad;
  }
  return sum;
}

double CountWindow::PerSecond(TimePoint now, Duration least) const {
  if (slots_.empty() || now - slots_.front().start < least) return 0;
  // What the first slot counted began before it.
  const std::uint64_t total = Sum(now).total - slots_.front().tally.total;
  return double(total) * 1e3 / double((now - slots_.front().start).count());
}

void CountWindow::Clear() { slots_.clear(); }

}  // namespace headgate::engine
