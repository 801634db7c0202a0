#include "cli/plan_warnings.h"

#include "absl/strings/str_split.h"

namespace headgate::cli {

Lines WarningLines(std::string_view file_name, const plan::Positions& positions,
                   const std::vector<rehearsal::Doubt>& doubts) {
  plan::Problems problems(file_name);
  for (const rehearsal::Doubt& doubt : doubts) {
    // What is written nowhere has no place in the file.
    const plan::Position at = positions.Find(doubt.path);
    problems.Add(at == positions.Find("") ? plan::Position{} : at,
                 "warning: " + doubt.path + ": " + doubt.text);
  }
  if (problems.empty()) return {};
  return absl::StrSplit(plan::Problems::AllLines(problems.ToStatus()), '\n');
}

}  // namespace headgate::cli
