// What `headgate simulate` found out, as a value, and the ways to show it. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "cli/text.h"
#include "controller/engine/plan.h"
#include "controller/rehearsal/rehearsal.h"

namespace headgate::cli {

// How the runs of one scenario went where they did not simply go well.
struct Endings {
  // Of those that did not end at 100 %: how many, their median share, and of the run there what it
  // is doing, what it waits for, and the check that took users out last.
  std::size_t below = 0;
  Share share_below;
  std::string phase_below;
  std::string doing;
  Lines waits_for;
  std::string last_failure;
  // How many of them ask for a person at their end.
  std::size_t still_asking = 0;
  // Of those that ended at 100 %: how many did not serve 95 % of all users in the last minute, and
  // the median part that they served.
  std::size_t unserved = 0;
  double served = 0;
  // Of all: how many called a person at any time; when first, in the median, and why.
  std::size_t calling = 0;
  double called_after_s = 0;
  std::string called_because;
};
Endings EndingsOf(const std::vector<rehearsal::RunResult>& results);

// The runs of one scenario, taken together.
struct Rehearsed {
  rehearsal::Scenario scenario;
  rehearsal::Aggregate figures;
  // How many of the runs came to 100 % users served.
  std::size_t came_to_full = 0;
  Endings endings;
};
Rehearsed Summed(const rehearsal::Scenario& scenario,
                 const std::vector<rehearsal::RunResult>& results);

struct Simulation {
  std::string plan_file;
  engine::PlanSpec plan;
  std::uint64_t seed = 1;
  std::size_t runs = 0;
  // Which of them is drawn, from 1.
  std::size_t drawn_run = 1;
  std::vector<Rehearsed> rehearsed;
  // `file:line:column: warning: …`, each with what to change.
  Lines warnings;
  // What stands for the parts of the world that are not modelled.
  Lines assumptions;
  // That run on one of the scenarios, whole.
  rehearsal::Scenario drawn;
  rehearsal::RunRecord record;
};

// What is worth a mark in a picture: changes of the share, and holds. `label` is 1 to 9, then a, b,
// …; more than kMarksMax are left out.
struct Mark {
  char label = ' ';
  rehearsal::Decision decision;
};
inline constexpr std::size_t kMarksMax = 30;
std::vector<Mark> MarksOf(const rehearsal::RunRecord& record);
// How many decisions are worth one, those that are left out among them.
std::size_t CountOfMarks(const rehearsal::RunRecord& record);
// How long the record is worth looking at: until a while after the last mark.
std::size_t SecondsWorthDrawing(const rehearsal::RunRecord& record);
// The smallest limit among the plan's checks on errors, a part of 1; none if it has none.
std::optional<double> ErrorLimitOf(const engine::PlanSpec& plan);
// The same of its checks on slow answers.
std::optional<double> SlowLimitOf(const engine::PlanSpec& plan);
// What the plan says of its first check on the load balancers' 5xx, a part of 1.
std::optional<double> ErrorBaselineOf(const engine::PlanSpec& plan);
// "1:04", "1:02:03" an hour and more.
std::string ClockText(double seconds);
// "retreat: errors is FAILED: …", durations rounded.
std::string CauseText(const rehearsal::Decision& decision);
// "5 % -> 25 %", "at 25 %, HOLDING".
std::string MoveText(const rehearsal::Decision& decision);

struct DrawingOptions {
  std::size_t columns = 80;
  bool has_color = false;
  bool has_blocks = false;
  // Causes that are longer than a line are cut.
  bool cuts = true;
};

// The table, and what to know about it.
Lines SimulationText(const Simulation& simulation, std::size_t columns);
// How the runs of a scenario ended, and whether a person was called; nothing where all went well.
Lines EndingTexts(const Rehearsed& rehearsed);
// One run over time.
Lines RunDrawing(const Simulation& simulation, const DrawingOptions& options);
// One run as a self-contained document.
std::string RunSvg(const Simulation& simulation);
// Everything; docs/SIMULATE.md has the fields.
std::string SimulationJson(const Simulation& simulation);

}  // namespace headgate::cli
