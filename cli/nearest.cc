#include "cli/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace headgate::cli {
namespace {

// One slip of the finger: a letter too many, too few, another one, or two swapped.
bool IsOneSlip(const std::string& a, const std::string& b) {
  std::size_t head = 0;
  while (head < std::min(a.size(), b.size()) && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < std::min(a.size(), b.size()) - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  const std::size_t rest_a = a.size() - head - tail;
  const std::size_t rest_b = b.size() - head - tail;
  return (rest_a <= 1 && rest_b <= 1) ||
         (rest_a == 2 && rest_b == 2 && a[head] == b[head + 1] && a[head + 1] == b[head]);
}

}  // namespace

std::string Nearest(const std::string& word, const std::vector<std::string>& known) {
  for (const std::string& verb : known) {
    if (IsOneSlip(word, verb)) return fmt::format("; did you mean '{}'?", verb);
  }
  return "";
}

}  // namespace headgate::cli
