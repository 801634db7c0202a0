// `headgate simulate`: rehearses a plan with the real engine, and shows how it went.
#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

#include "cli/plan_warnings.h"
#include "cli/scenarios.h"
#include "cli/session.h"
#include "cli/simulation.h"
#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/plan/plan.h"

namespace headgate::cli {
namespace {

using rehearsal::Doubt;
using rehearsal::RunResult;
using rehearsal::Scenario;

// Who waits for longer is told how far it is, and then as often.
constexpr Duration kTellAfter{2'000};
// Where nobody asked for a scenario, the regression is the one to look at.
constexpr std::size_t kDrawnOfTypical = 2;

// What the plan calls slow is what the platform counts as slow.
void CountAsThePlanDoes(const engine::PlanSpec& plan, Scenario& scenario) {
  std::optional<Duration> least;
  for (const engine::CheckSpec& check : plan.checks) {
    const engine::AgentRatio* agents = engine::AgentRatioOf(check);
    if (agents == nullptr || agents->metric != engine::AgentRatio::Metric::kSlowerThan) continue;
    least = std::min(least.value_or(agents->slower_than), agents->slower_than);
  }
  if (least) scenario.latency.slow_above_s = double(least->count()) / 1e3;
}

// An ordinary day of this shop, where the plan tells of one.
Scenario OrdinaryDay(const engine::PlanSpec& plan) {
  Scenario ordinary;
  if (const std::optional<double> baseline = ErrorBaselineOf(plan)) {
    ordinary.errors.base = *baseline;
  }
  return ordinary;
}

Lines AssumptionsOf(const engine::PlanSpec& plan) {
  Lines lines = {
      "preflight has passed; one agent stands for the fleet; the journal records at once; nobody "
      "resumes a restoration that asks for a person"};
  std::string sound;
  for (const engine::CheckSpec& check : plan.checks) {
    const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind);
    const auto* prometheus =
        ratio == nullptr ? nullptr : std::get_if<engine::PrometheusRatio>(&ratio->source);
    if (ratio == nullptr) sound += (sound.empty() ? "" : ", ") + check.name;
    if (prometheus != nullptr) {
      lines.push_back(
          fmt::format("check {} (Prometheus) counts the errors of all requests, every {}",
                      check.name, FormatDuration(prometheus->every)));
    }
  }
  if (!rehearsal::ChecksOfOtherTraffic(plan).empty()) {
    lines.emplace_back(
        "no check counts the load balancers' requests: how many Prometheus counts is not known, "
        "and "
        "may be less than the gate's");
  }
  if (!sound.empty()) lines.push_back("always HEALTHY while there is any data: " + sound);
  if (const std::optional<double> baseline = ErrorBaselineOf(plan)) {
    lines.push_back(fmt::format("errors are {} % where a platform does not say otherwise",
                                PlainNumber(*baseline * 100, 3)));
  }
  if (plan.adaptive && plan.adaptive->utilisation) {
    lines.emplace_back("ramp.utilisation is the platform's, read every second");
  }
  if (!plan.approve_at.empty()) lines.push_back("each approval is given at once");
  return lines;
}

void AddNew(std::vector<Doubt> found, bool by_path, std::vector<Doubt>& doubts) {
  for (Doubt& doubt : found) {
    const bool is_known = std::ranges::any_of(doubts, [&](const Doubt& known) {
      return known == doubt || (by_path && known.path == doubt.path);
    });
    if (!is_known) doubts.push_back(std::move(doubt));
  }
}

std::vector<Doubt> DoubtsOf(const engine::PlanSpec& plan, const std::vector<Scenario>& scenarios) {
  std::vector<Doubt> doubts = rehearsal::FindDoubts(plan);
  for (const Scenario& scenario : scenarios) {
    AddNew(rehearsal::FindDoubtsOfTraffic(plan, scenario.site.rps), false, doubts);
    // One platform is enough to say it.
    AddNew(rehearsal::FindDoubtsOfPlatform(plan, scenario), true, doubts);
  }
  // A limit that is no limit is said by its value alone.
  AddNew(rehearsal::FindBlindSpots(plan, scenarios), true, doubts);
  return doubts;
}

// Of the plan, then of the scenarios.
Lines WarningsOf(const engine::Plan& plan, std::string_view name, const plan::Positions& positions,
                 const std::vector<Scenario>& scenarios) {
  Lines lines = WarningLines(name, positions, DoubtsOf(plan.spec(), scenarios));
  for (const Scenario& scenario : scenarios) {
    if (!scenario.limits.are_said) continue;
    lines.push_back(
        fmt::format("scenario {}: warning: limits: only ./dev bench judgement reads them, the plan "
                    "says its own; leave them out",
                    Clean(scenario.name)));
  }
  return lines;
}

// Runs everything; false: Ctrl-C.
bool RunAll(const engine::Plan& plan, const std::vector<Scenario>& scenarios,
            const SimulateFlags& flags, Session& session, Simulation& simulation) {
  const TimePoint began = session.clock.Now();
  TimePoint told = began;
  const std::size_t all = flags.runs * scenarios.size();
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::size_t before = 0;
  for (const Scenario& scenario : scenarios) {
    const auto progress = [&](std::size_t done) {
      const TimePoint now = session.clock.Now();
      if (now - told >= kTellAfter) {
        told = now;
        session.terminal.err << fmt::format("headgate: {} of {} runs rehearsed\n", before + done,
                                            all);
      }
      return !session.interrupt.IsRaised();
    };
    const std::vector<RunResult> results = rehearsal::Rehearse({.plan = plan,
                                                                .scenario = scenario,
                                                                .seed = flags.seed,
                                                                .runs = flags.runs,
                                                                .threads = threads},
                                                               progress);
    if (results.empty()) return false;
    simulation.rehearsed.push_back(Summed(scenario, results));
    before += flags.runs;
  }
  simulation.drawn = scenarios[flags.scenarios.empty() ? kDrawnOfTypical : 0];
  rehearsal::RehearseOnce(plan, simulation.drawn, rehearsal::SeedOfRun(flags.seed, flags.run - 1),
                          &simulation.record);
  return true;
}

void Show(const Simulation& simulation, const Command& command, Session& session) {
  std::ostream& out = session.terminal.out;
  switch (command.output) {
    case Output::kJson:
      out << SimulationJson(simulation);
      return;
    case Output::kSvg:
      out << RunSvg(simulation);
      return;
    case Output::kText:
      break;
  }
  const auto columns = static_cast<std::size_t>(std::max(session.terminal.size().columns, 1));
  for (const std::string& line : SimulationText(simulation, columns)) out << line << '\n';
  out << '\n';
  const DrawingOptions options{.columns = columns,
                               .has_color = session.terminal.has_color,
                               .has_blocks = session.terminal.has_blocks,
                               .cuts = session.terminal.has_width};
  for (const std::string& line : RunDrawing(simulation, options)) out << line << '\n';
}

}  // namespace

ExitCode RunSimulate(const Command& command, Session& session) {
  const absl::StatusOr<std::string> bytes = ReadPlanFile(command, session);
  if (!bytes.ok()) {
    return Refuse(ExitCode::kUsage, std::string(bytes.status().message()), command, session);
  }
  const std::string name = command.plan_file == "-" ? "standard input" : command.plan_file;
  plan::Positions positions;
  Baselines baselines(command.plan_file);
  const auto plan = LoadPlanOf(command, *bytes, baselines, &positions);
  if (!plan.ok()) return RefuseFile(plan.status(), command, session);
  absl::StatusOr<std::vector<Scenario>> scenarios =
      LoadScenarios(command.simulate, OrdinaryDay(plan->spec()));
  if (absl::IsInvalidArgument(scenarios.status())) {
    const std::string why(scenarios.status().message());
    return Refuse(ExitCode::kRefused, "no sound scenario:\n" + why, command, session);
  }
  if (!scenarios.ok()) {
    return Refuse(ExitCode::kNotFound, std::string(scenarios.status().message()), command, session);
  }
  for (Scenario& scenario : *scenarios) CountAsThePlanDoes(plan->spec(), scenario);
  Simulation simulation{.plan_file = name,
                        .plan = plan->spec(),
                        .seed = command.simulate.seed,
                        .runs = command.simulate.runs,
                        .drawn_run = command.simulate.run,
                        .warnings = WarningsOf(*plan, name, positions, *scenarios),
                        .assumptions = AssumptionsOf(plan->spec())};
  for (const std::string& warning : simulation.warnings) session.terminal.err << warning << '\n';
  if (!RunAll(*plan, *scenarios, command.simulate, session, simulation)) {
    return Refuse(ExitCode::kDetached, "stopped; a rehearsal changes nothing", command, session);
  }
  Show(simulation, command, session);
  return ExitCode::kDone;
}

}  // namespace headgate::cli
