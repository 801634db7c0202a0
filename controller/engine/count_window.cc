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

Duration CountWindow::Covered(TimePoint now) const {
  return slots_.empty() ? Duration(0) : std::clamp(now - slots_.front().start, Duration(0), span_);
}

void CountWindow::Clear() { slots_.clear(); }

}  // namespace headgate::engine
