// Events and bad events of the last while, forgotten as they age. A value; time is a parameter.
#pragma once

#include <cstdint>
#include <deque>

#include "common/base/clock.h"

namespace headgate::engine {

struct Tally {
  std::uint64_t total = 0;
  std::uint64_t bad = 0;
};

class CountWindow {
 public:
  // At most kSlots slots of at least kSlotMin each cover `span`, so memory does not grow with it.
  explicit CountWindow(Duration span);

  // `at` must not go back; counts of an older time are added to the newest slot.
  void Add(TimePoint at, Tally tally);
  // What was counted in (now - span, now], to the width of a slot.
  Tally Sum(TimePoint now) const;
  // Events in a second, of late; 0 while less than `least` of the span is covered.
  double PerSecond(TimePoint now, Duration least) const;
  void Clear();

  static constexpr std::int64_t kSlots = 120;
  static constexpr Duration kSlotMin{250};

 private:
  struct Slot {
    TimePoint start;
    Tally tally;
  };
  bool IsForgotten(const Slot& slot, TimePoint now) const { return slot.start + span_ <= now; }

  Duration span_;
  Duration slot_width_;
  std::deque<Slot> slots_;
};

}  // namespace headgate::engine
