#include "common/base/nearest.h"

#include <fmt/format.h>

#include <algorithm>

namespace headgate {
namespace {

// Longer words are nobody's slip.
constexpr std::size_t kBytesMax = 64;
constexpr std::size_t kShortWord = 4;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// The "optimal string alignment" distance.
std::size_t Slips(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> slips(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        slips[i][j] = i + j;
        continue;
      }
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      slips[i][j] =
          std::min({slips[i - 1][j] + 1, slips[i][j - 1] + 1, slips[i - 1][j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        slips[i][j] = std::min(slips[i][j], slips[i - 2][j - 2] + 1);
      }
    }
  }
  return slips[a.size()][b.size()];
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kBytesMax) return "";
  std::size_t near = word.size() <= kShortWord ? 1 : 2;
  std::string nearest;
  for (const std::string& one : known) {
    const std::size_t slips = Slips(Lower(word), Lower(one));
    const bool is_nearer = nearest.empty() ? slips <= near : slips < near;
    if (!is_nearer) continue;
    near = slips;
    nearest = one;
  }
  return nearest;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

std::string DidYouMeanOneOf(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = DidYouMean(word, known);
  return nearest.empty() ? fmt::format(": write one of {}", fmt::join(known, ", ")) : nearest;
}

}  // namespace headgate
