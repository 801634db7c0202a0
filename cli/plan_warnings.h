// What a valid plan may yet fail of, as lines for people. Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "cli/text.h"
#include "controller/plan/problems.h"
#include "controller/rehearsal/doubts.h"

namespace headgate::cli {

// `file:line:column: warning: path: what, value, bound, remedy`, in the file's order; no line and
// column where nothing of the path is written.
Lines WarningLines(std::string_view file_name, const plan::Positions& positions,
                   const std::vector<rehearsal::Doubt>& doubts);

}  // namespace headgate::cli
