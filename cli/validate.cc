// `headgate validate`, and reading a plan's file.
#include <fmt/format.h>

#include <cmath>
#include <fstream>

#include "cli/json.h"
#include "cli/plan_warnings.h"
#include "cli/plan_words.h"
#include "cli/session.h"
#include "cli/text.h"
#include "controller/plan/plan.h"
#include "controller/plan/yaml_tree.h"
#include "controller/rehearsal/doubts.h"

namespace headgate::cli {
namespace {

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
  session.terminal.err << "headgate: " << PlanErrors(command, why) << '\n';
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
  const std::string name = NameOfPlan(command);
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
  for (const std::string& line : DescribePlan(plan->spec())) session.terminal.out << line << '\n';
  if (const double needed = rehearsal::RpsNeeded(plan->spec()); needed > 0) {
    session.terminal.out << fmt::format(
        "  needs {:g} requests/s at 100 %: with fewer the first step shows too little\n",
        std::ceil(needed * 10) / 10);
  }
  return ExitCode::kDone;
}

}  // namespace headgate::cli
