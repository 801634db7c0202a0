#include "agents/core/local_override.h"

#include <fmt/format.h>

#include <algorithm>

namespace headgate::agent {

std::optional<LocalOverride> InForceAt(const LocalOverride& word, TimePoint now) {
  if (!word.until || now < *word.until) return word;
  if (!word.ceiling_after) return std::nullopt;
  return LocalOverride{.is_ceiling = true, .share = *word.ceiling_after, .until = std::nullopt};
}

LocalOverride WithCeiling(const std::optional<LocalOverride>& in_force, Share ceiling) {
  LocalOverride word{.is_ceiling = true, .share = ceiling, .until = std::nullopt};
  if (!in_force) return word;
  if (in_force->is_ceiling) {
    word.share = std::min(in_force->share, ceiling);
    return word;
  }
  if (in_force->share > ceiling) return word;
  word = *in_force;
  word.ceiling_after = std::min(in_force->ceiling_after.value_or(ceiling), ceiling);
  return word;
}

std::string ToString(const LocalOverride& local_override) {
  std::string words = fmt::format(
      "{} {}{}", local_override.is_ceiling ? "at most" : "exactly", local_override.share.ToString(),
      local_override.until ? " until " + FormatTime(*local_override.until)
                           : std::string(" until released"));
  if (local_override.ceiling_after) {
    words +=
        fmt::format(", then at most {} until released", local_override.ceiling_after->ToString());
  }
  return words;
}

}  // namespace headgate::agent
