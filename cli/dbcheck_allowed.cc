#include "cli/dbcheck_allowed.h"

#include <algorithm>
#include <string_view>

namespace headgate::cli {
namespace {

using database::Severity;

bool IsOneOf(std::string_view kind, const std::vector<std::string_view>& kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

}  // namespace

Sameness JudgeFinding(const database::Finding& finding) {
  switch (finding.severity) {
    case Severity::kDegraded:
      // Of such a table the rows were not compared; a standby that stands still only was the same.
      return IsOneOf(finding.kind, {"not_published", "replay_paused"}) ? Sameness::kUnknown
                                                                       : Sameness::kSame;
    case Severity::kUnknown:
      return Sameness::kUnknown;
    case Severity::kFailed:
      break;
  }
  return IsOneOf(finding.kind, {"schema", "data", "damaged", "baseline", "not_subscribed",
                                "wrong_system", "wrong_timeline", "ahead_of_primary"})
             ? Sameness::kDifferent
             : Sameness::kUnknown;
}

Sameness JudgeSameness(const std::vector<database::Finding>& findings) {
  Sameness worst = Sameness::kSame;
  for (const database::Finding& finding : findings) {
    const Sameness sameness = JudgeFinding(finding);
    if (sameness == Sameness::kDifferent) return sameness;
    if (sameness == Sameness::kUnknown) worst = sameness;
  }
  return worst;
}

bool FitsPattern(std::string_view text, std::string_view pattern) {
  // Each part between two stars is taken where it comes first.
  std::size_t at = 0;
  bool is_first = true;
  while (true) {
    const std::size_t star = pattern.find('*');
    const std::string_view part = pattern.substr(0, star);
    const std::size_t found = text.find(part, at);
    if (found == std::string_view::npos || (is_first && found != 0)) return false;
    at = found + part.size();
    if (star == std::string_view::npos) return true;
    pattern.remove_prefix(star + 1);
    is_first = false;
  }
}

bool IsAllowed(const database::Finding& finding, const std::vector<std::string>& patterns) {
  const std::size_t who = finding.text.find(": ");
  const std::string_view what = who == std::string::npos
                                    ? std::string_view(finding.text)
                                    : std::string_view(finding.text).substr(who + 2);
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return !pattern.empty() && FitsPattern(what, pattern);
  });
}

}  // namespace headgate::cli
