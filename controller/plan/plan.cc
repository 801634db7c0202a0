#include "controller/plan/plan.h"

#include "controller/engine/field_errors.h"
#include "controller/plan/binder.h"
#include "controller/plan/short_forms.h"
#include "controller/plan/yaml_tree.h"

namespace headgate::plan {

absl::StatusOr<v1::Plan> ParsePlanYaml(std::string_view bytes, std::string_view file_name,
                                       Positions* positions) {
  Problems problems(file_name);
  const YamlNode root = ReadYaml(bytes, problems);
  if (!problems.empty()) return problems.ToStatus();
  Positions scratch;
  v1::Plan plan;
  Bind(root, PlanShortForms(), plan, positions != nullptr ? *positions : scratch, problems);
  if (!problems.empty()) return problems.ToStatus();
  return plan;
}

absl::StatusOr<engine::Plan> LoadPlan(std::string_view bytes, std::string_view file_name,
                                      Positions* known_positions, const ReadExpected& read) {
  Positions scratch;
  Positions& positions = known_positions != nullptr ? *known_positions : scratch;
  absl::StatusOr<v1::Plan> parsed = ParsePlanYaml(bytes, file_name, &positions);
  if (!parsed.ok()) return parsed.status();
  Problems problems(file_name);
  FillExpected(read, positions, *parsed->mutable_databases(), problems);
  if (!problems.empty()) return problems.ToStatus();
  absl::StatusOr<engine::Plan> plan = ToEngine(*parsed);
  if (plan.ok()) return plan;
  for (const engine::FieldError& error : engine::FieldErrors::From(plan.status())) {
    problems.Add(positions.Find(error.path),
                 error.path.empty() ? error.text : error.path + ": " + error.text);
  }
  return problems.ToStatus();
}

}  // namespace headgate::plan
