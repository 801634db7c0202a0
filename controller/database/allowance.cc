#include "controller/database/allowance.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_split.h"

namespace headgate::database {
namespace {

std::vector<std::string> PartsOf(std::string_view pattern) {
  return absl::StrSplit(absl::string_view(pattern.data(), pattern.size()), '.');
}

bool Fits(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t from = 0;
  // Where to go on after a star that has to take one character more.
  std::optional<std::size_t> star;
  std::size_t taken = 0;
  while (from < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = from;
    } else if (at < pattern.size() && pattern[at] == text[from]) {
      ++at;
      ++from;
    } else if (star.has_value()) {
      at = *star + 1;
      from = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace

bool IsAllowed(const std::vector<std::string>& patterns, std::string_view schema,
               std::string_view table, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    const std::vector<std::string> parts = PartsOf(pattern);
    if (parts.size() < 2 || !Fits(parts[0], schema) || !Fits(parts[1], table)) return false;
    return parts.size() == 2 || (!name.empty() && Fits(parts[2], name));
  });
}

}  // namespace headgate::database
