#include "controller/database/lag_ring.h"

#include <algorithm>

namespace headgate::database {

void LagRing::Add(TimePoint at, std::uint64_t position) {
  if (!entries_.empty() && position < entries_.back().position) entries_.clear();
  // The first time counts: from then on the replica had something to replay.
  if (!entries_.empty() && position == entries_.back().position) return;
  if (entries_.size() == kEntriesMax) entries_.pop_front();
  entries_.push_back({at, position});
}

Duration LagRing::LagOf(std::uint64_t replayed, TimePoint now) const {
  const auto waiting = std::upper_bound(
      entries_.begin(), entries_.end(), replayed,
      [](std::uint64_t position, const Entry& entry) { return position < entry.position; });
  if (waiting == entries_.end()) return Duration(0);
  return std::max(Duration(0), now - waiting->at);
}

}  // namespace headgate::database
