// How late a replica is, without writing to the primary and without comparing two machines' clocks:
// remembers when the primary was first seen at a position, by our own clock. The lag of a replica
// is the age of the oldest remembered position that it has not replayed. One thread owns it. Pure:
// time is a parameter. Promises: an idle primary gives no lag; a replica that stands still while
// the primary moves ages by one second per second. What happened before the first entry is not
// seen, so the lag is a lower bound until it has been watched for that long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "common/base/clock.h"

namespace headgate::database {

class LagRing {
 public:
  // At one entry a second, over an hour; beyond, the oldest is forgotten.
  static constexpr std::size_t kEntriesMax = 4'096;

  // The primary was at `position` at `at`, or a little later. A position below the last one means
  // another primary: everything before is forgotten.
  void Add(TimePoint at, std::uint64_t position);
  Duration LagOf(std::uint64_t replayed, TimePoint now) const;

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t position = 0;
  };
  // Strictly increasing in position.
  std::deque<Entry> entries_;
};

}  // namespace headgate::database
