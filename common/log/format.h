// How an event becomes one line. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/log/log.h"

namespace headgate {

// {"ts":"2024-08-14T18:00:07.123Z","level":"info","event":"share_lowered","gate":"shop"}
std::string FormatJsonLine(TimePoint at, LogLevel level, std::string_view event,
                           const Log::Fields& fields);
// 18:00:07.123 info  share_lowered gate=shop why="errors 3.1 % over 1 %"
std::string FormatTextLine(TimePoint at, LogLevel level, std::string_view event,
                           const Log::Fields& fields);

}  // namespace headgate
