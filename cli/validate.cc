// `headgate validate`, and reading a plan's file.
#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "cli/document.h"
#include "cli/json.h"
#include "cli/plan_warnings.h"
#include "cli/plan_words.h"
#include "cli/session.h"
#include "cli/text.h"
#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/plan/defaults.h"
#include "controller/plan/plan.h"
#include "controller/plan/yaml_tree.h"
#include "controller/rehearsal/doubts.h"

namespace headgate::cli {
namespace {

Lines Warnings(const engine::Plan& plan, const std::string& name, const plan::Positions& positions,
               const std::optional<double>& rps) {
  std::vector<rehearsal::Doubt> doubts = rehearsal::FindDoubts(plan.spec());
  for (rehearsal::Doubt& doubt :
       rehearsal::FindDoubtsOfTraffic(plan.spec(), rps.value_or(rehearsal::kRpsMost))) {
    doubts.push_back(std::move(doubt));
  }
  return WarningLines(name, positions, doubts);
}

std::string Count(const Lines& warnings) {
  return fmt::format("{} warning{}", warnings.size(), warnings.size() == 1 ? "" : "s");
}

// What traffic the plan needs; nothing where it needs none.
std::string NeedText(const engine::PlanSpec& plan) {
  const std::vector<std::string> elsewhere = rehearsal::ChecksOfOtherTraffic(plan);
  if (!elsewhere.empty()) {
    return fmt::format(
        "  what traffic it needs is not known: check {} counts what Prometheus is asked for, which "
        "may be less than the gate's",
        fmt::join(elsewhere, ", "));
  }
  const double needed = rehearsal::RpsNeeded(plan);
  if (std::isinf(needed)) {
    return fmt::format("  no traffic is enough for a bake of {}: lengthen it",
                       FormatDuration(plan.bake_max));
  }
  if (needed == 0) return "";
  return fmt::format("  needs {} requests/s at 100 %: with fewer the first step shows too little",
                     PlainNumber(needed));
}

// The system's word for why a file cannot be read.
absl::Status Unreadable(const std::string& file, int reason) {
  return absl::NotFoundError(fmt::format("{} cannot be read: {}{}", Clean(file),
                                         reason == 0 ? "unknown error" : std::strerror(reason),
                                         reason == ENOENT ? ": is the path right?" : ""));
}

}  // namespace

ExitCode RefuseFile(const absl::Status& status, const Command& command, Session& session) {
  const std::string why(status.message());
  session.terminal.err << "headgate: " << PlanErrors(command, why) << '\n';
  if (command.output == Output::kJson) {
    const std::string all = plan::Problems::AllLines(status);
    session.terminal.out << ErrorJson(static_cast<int>(ExitCode::kRefused), why,
                                      ReadFileErrors(all, NameOfPlan(command)));
  }
  return ExitCode::kRefused;
}

absl::StatusOr<std::string> ReadPlanFile(const Command& command, Session& session) {
  const Interrupt::Unheard unheard(session.interrupt);
  std::ifstream file;
  std::istream* in = &session.in;
  if (command.plan_file != "-") {
    errno = 0;
    file.open(command.plan_file, std::ios::binary);
    if (!file) return Unreadable(command.plan_file, errno);
    in = &file;
  }
  std::string bytes(plan::kPlanBytesMax + 1, '\0');
  errno = 0;
  in->read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in->gcount()));
  if (in->bad()) return Unreadable(NameOfPlan(command), errno);
  return bytes;
}

absl::StatusOr<engine::Plan> LoadPlanOf(const Command& command, const std::string& yaml,
                                        Baselines& baselines, plan::Positions* positions) {
  return plan::LoadPlan(yaml, NameOfPlan(command), positions,
                        [&](const std::string& name, const engine::DatabaseSpec& database) {
                          return baselines.Read(name, database);
                        });
}

ExitCode RunValidate(const Command& command, Session& session) {
  const absl::StatusOr<std::string> bytes = ReadPlanFile(command, session);
  if (!bytes.ok()) {
    return Refuse(ExitCode::kUsage, std::string(bytes.status().message()), command, session);
  }
  const std::string name = NameOfPlan(command);
  plan::Positions positions;
  Baselines baselines(command.plan_file);
  const auto plan = LoadPlanOf(command, *bytes, baselines, &positions);
  if (!plan.ok()) return RefuseFile(plan.status(), command, session);
  const Lines warnings = Warnings(*plan, name, positions, command.simulate.rps);
  for (const std::string& warning : warnings) session.terminal.err << warning << '\n';
  const bool is_refused = command.is_strict && !warnings.empty();
  const ExitCode code = is_refused ? ExitCode::kRefused : ExitCode::kDone;
  if (is_refused) {
    session.terminal.err << fmt::format("headgate: {}, which --strict refuses\n", Count(warnings));
  }
  if (command.output == Output::kJson) {
    const auto whole = plan::WithDefaults(*plan);
    if (!whole.ok()) return ExitCode::kInternal;
    session.terminal.out << DocumentWith(*whole, "warnings", warnings);
    return code;
  }
  session.terminal.out << Clean(name) << ": "
                       << (warnings.empty() ? "a sound plan" : "a plan with " + Count(warnings))
                       << '\n';
  for (const std::string& line : DescribePlan(plan->spec())) session.terminal.out << line << '\n';
  const std::string need = NeedText(plan->spec());
  if (!need.empty()) session.terminal.out << need << '\n';
  return code;
}

}  // namespace headgate::cli
