// Durations as people read them in a view, rounded: `3 s`, `1.2 s`, `4 min 10 s`, `2 h 5 min`. What
// is read back (plans, flags) is written by FormatDuration, which rounds nothing.
#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace headgate {

// Whole seconds from 2 s on, whole minutes from an hour on; below 2 s tenths, below 1 s "300 ms".
std::string FormatRounded(Duration duration);

// Each "3s59ms" of a text that FormatDuration wrote, rounded. Words that only look like it
// ("edge-3s", "3sx") stay.
std::string RoundDurations(std::string_view text);

}  // namespace headgate
