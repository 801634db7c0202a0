#include "cli/plan_warnings.h"

#include "absl/strings/str_split.h"

namespace headgate::cli {

Lines WarningLines(std::string_view file_name, const plan::Positions& positions,
                   const std::vector<rehearsal::Doubt>& doubts) {
  plan::Problems problems(file_name);
  for (const rehearsal::Doubt& doubt : doubts) {
    problems.Add(positions.Find(doubt.path), "warning: " + doubt.path + ": " + doubt.text);
  }
  if (problems.empty()) return {};
  return absl::StrSplit(plan::Problems::AllLines(problems.ToStatus()), '\n');
}

}  // namespace headgate::cli
