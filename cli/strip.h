// A row of figures as a strip of bars for a terminal. Pure; any thread.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "cli/text.h"

namespace headgate::cli {

// Not there, for figures.
inline constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

struct Strip {
  // One a column, from 0 up to `top`; kNothing leaves the column empty.
  std::vector<double> values;
  double top = 1;
  // What is above it is marked: by colour, and by '!' where no blocks are drawn.
  double limit = std::numeric_limits<double>::infinity();
  std::size_t rows = 2;
};

// From above; each line is as wide as there are values. What is above 0 shows at least a dot.
Lines DrawStrip(const Strip& strip, bool has_blocks, bool has_color);

}  // namespace headgate::cli
