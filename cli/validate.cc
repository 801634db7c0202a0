// `headgate validate`, and reading a plan's file.
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <variant>

#include "cli/json.h"
#include "cli/plan_warnings.h"
#include "cli/session.h"
#include "cli/text.h"
#include "common/base/duration.h"
#include "controller/plan/plan.h"
#include "controller/plan/yaml_tree.h"
#include "controller/rehearsal/doubts.h"

namespace headgate::cli {
namespace {

std::string Describe(const engine::CheckSpec& check) {
  if (const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind)) {
    return fmt::format("bad events of all, at most {} over {}", FormatPpm(ratio->limit_ppm),
                       FormatDuration(ratio->window));
  }
  if (const auto* value = std::get_if<engine::ValueCheck>(&check.kind)) {
    return fmt::format("holds beyond {}, fails beyond {}", value->soft, value->hard);
  }
  return "database " + std::get<engine::DatabaseCheck>(check.kind).database;
}

std::string DescribeSteps(const engine::PlanSpec& spec) {
  if (spec.adaptive) {
    const auto& adaptive = *spec.adaptive;
    return fmt::format("adaptive, the first {}, none above {}, {}",
                       adaptive.first ? adaptive.first->ToString() : std::string("by the demand"),
                       FormatPpm(adaptive.step_max_ppm),
                       adaptive.utilisation
                           ? "utilisation up to " + FormatPpm(adaptive.utilisation_limit_ppm)
                           : std::string("no signal of utilisation"));
  }
  std::string steps;
  for (const Share step : spec.steps) steps += (steps.empty() ? "" : ", ") + step.ToString();
  return steps;
}

Lines Describe(const engine::PlanSpec& spec) {
  Lines lines = {fmt::format("  gate {}, users by {}", spec.gate, spec.admit_by),
                 fmt::format("  preflight: {} agents, {} databases, all in order for {}",
                             spec.agents.empty() ? spec.agent_count : spec.agents.size(),
                             spec.preflight_databases.size(), FormatDuration(spec.ready_for)),
                 fmt::format("  steps {}; each at least {}", DescribeSteps(spec),
                             FormatDuration(spec.bake_min))};
  for (const engine::CheckSpec& check : spec.checks) {
    lines.push_back(fmt::format("  check {}: {}", check.name, Describe(check)));
  }
  lines.push_back(fmt::format("  after a failure: {} retries; at 100 % watched for {}",
                              spec.retries, FormatDuration(spec.watch)));
  return lines;
}

Lines Warnings(const engine::Plan& plan, const std::string& name, const plan::Positions& positions,
               const std::optional<double>& rps) {
  std::vector<rehearsal::Doubt> doubts = rehearsal::FindDoubts(plan.spec());
  if (rps) {
    for (rehearsal::Doubt& doubt : rehearsal::FindDoubtsOfTraffic(plan.spec(), *rps)) {
      doubts.push_back(std::move(doubt));
    }
  }
  return WarningLines(name, positions, doubts);
}

}  // namespace

ExitCode RefuseFile(const std::string& why, const Command& command, Session& session) {
  session.terminal.err << why << '\n';
  if (command.output == Output::kJson) {
    session.terminal.out << ErrorJson(static_cast<int>(ExitCode::kRefused), why);
  }
  return ExitCode::kRefused;
}

absl::StatusOr<std::string> ReadPlanFile(const Command& command, Session& session) {
  std::ifstream file;
  std::istream* in = &session.in;
  if (command.plan_file != "-") {
    file.open(command.plan_file, std::ios::binary);
    if (!file) {
      return absl::NotFoundError(
          fmt::format("{} cannot be read: is the path right?", Clean(command.plan_file)));
    }
    in = &file;
  }
  std::string bytes(plan::kPlanBytesMax + 1, '\0');
  in->read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in->gcount()));
  if (in->bad()) return absl::NotFoundError(Clean(command.plan_file) + " cannot be read");
  return bytes;
}

ExitCode RunValidate(const Command& command, Session& session) {
  const absl::StatusOr<std::string> bytes = ReadPlanFile(command, session);
  if (!bytes.ok()) {
    return Refuse(ExitCode::kUsage, std::string(bytes.status().message()), command, session);
  }
  const std::string name = command.plan_file == "-" ? "standard input" : command.plan_file;
  plan::Positions positions;
  const auto plan = plan::LoadPlan(*bytes, name, &positions);
  if (!plan.ok()) return RefuseFile(std::string(plan.status().message()), command, session);
  for (const std::string& warning : Warnings(*plan, name, positions, command.simulate.rps)) {
    session.terminal.err << warning << '\n';
  }
  if (command.output == Output::kJson) {
    const auto source = plan::FromSource(plan->spec().source);
    if (!source.ok()) return ExitCode::kInternal;
    session.terminal.out << ToJson(*source);
    return ExitCode::kDone;
  }
  session.terminal.out << Clean(name) << ": a sound plan\n";
  for (const std::string& line : Describe(plan->spec())) session.terminal.out << line << '\n';
  if (const double needed = rehearsal::RpsNeeded(plan->spec()); needed > 0) {
    session.terminal.out << fmt::format(
        "  needs {:g} requests/s at 100 %: with fewer the first step shows too little\n",
        std::ceil(needed * 10) / 10);
  }
  return ExitCode::kDone;
}

}  // namespace headgate::cli
