#include "cli/strip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace headgate::cli {
namespace {

constexpr std::array<std::string_view, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 4> kMarks = {" ", ".", ":", "#"};

// The cell of a column whose bar fills `cells` rows, seen from `row` rows above the ground.
std::string Cell(double cells, std::size_t row, bool is_above, bool has_blocks) {
  const double filled = std::clamp(cells - double(row), 0.0, 1.0);
  const std::size_t levels = (has_blocks ? kBlocks.size() : kMarks.size()) - 1;
  auto level = static_cast<std::size_t>(std::lround(filled * double(levels)));
  if (row == 0 && cells > 0) level = std::max<std::size_t>(level, 1);
  if (has_blocks) return std::string(kBlocks[level]);
  return std::string(is_above && level == levels ? "!" : kMarks[level]);
}

}  // namespace

Lines DrawStrip(const Strip& strip, bool has_blocks, bool has_color) {
  Lines lines;
  for (std::size_t row = strip.rows; row-- > 0;) {
    std::string line;
    for (const double value : strip.values) {
      if (std::isnan(value)) {
        line += ' ';
        continue;
      }
      const double cells = std::clamp(value / strip.top, 0.0, 1.0) * double(strip.rows);
      const bool is_above = value > strip.limit;
      const std::string cell = Cell(cells, row, is_above, has_blocks);
      line += cell == " " ? cell : Paint(cell, is_above ? Color::kBad : Color::kNone, has_color);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace headgate::cli
