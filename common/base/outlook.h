// When those who wait may come back, as far as anybody can tell: the shares that are to come, and
// about when. A forecast for people: nothing of it ever admits anybody. Values, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate {

inline constexpr std::size_t kReturnsMax = 16;

struct Return {
  Share share;
  // Unset: nobody knows yet.
  std::optional<TimePoint> at;
  friend bool operator==(const Return&, const Return&) = default;
};

struct Outlook {
  // Ascending by share, and by time; at most kReturnsMax. Empty: nothing is known.
  std::vector<Return> returns;
  friend bool operator==(const Outlook&, const Outlook&) = default;
};

// At most kReturnsMax, the last one among them: who is left out is told the next, which is later.
Outlook Thinned(Outlook outlook);
// What was `told` stays as long as it is true to the minute, so that a page does not name another
// time each time that it looks again.
Outlook Steadied(const Outlook& told, Outlook outlook);
// Every time moved by so much: from one clock's to another's.
Outlook Moved(Outlook outlook, Duration by);
// Ascending by share and by time, at most kReturnsMax.
bool IsSound(const Outlook& outlook);

}  // namespace headgate
