// How the runs of a scenario ended, and why: the part of the answer that says what to mend.
#include <fmt/format.h>

#include <algorithm>

#include "cli/simulation.h"
#include "common/base/rounded.h"

namespace headgate::cli {
namespace {

using rehearsal::RunResult;

// As for the time to 100 %.
constexpr double kServedLeast = 0.95;

using Results = std::vector<const RunResult*>;

void AddBelow(Results below, Endings& endings) {
  endings.below = below.size();
  if (below.empty()) return;
  std::ranges::stable_sort(below, {}, &RunResult::share);
  const RunResult& middle = *below[below.size() / 2];
  endings.share_below = middle.share;
  endings.phase_below = middle.phase;
  endings.doing = middle.doing;
  endings.waits_for = middle.waits_for;
  endings.last_failure = middle.last_failure;
  endings.still_asking = static_cast<std::size_t>(
      std::ranges::count_if(below, [](const RunResult* run) { return run->asks_for_a_person; }));
}

void AddUnserved(Results unserved, Endings& endings) {
  endings.unserved = unserved.size();
  if (unserved.empty()) return;
  std::ranges::stable_sort(unserved, {}, &RunResult::served_at_end);
  endings.served = unserved[unserved.size() / 2]->served_at_end;
}

void AddCalling(Results calling, Endings& endings) {
  endings.calling = calling.size();
  if (calling.empty()) return;
  std::ranges::stable_sort(calling, {}, [](const RunResult* run) { return run->call->at_s; });
  const rehearsal::Call& middle = *calling[calling.size() / 2]->call;
  endings.called_after_s = middle.at_s;
  endings.called_because = middle.why;
}

// "every run ends", "29 of 30 runs end", "the run ends".
std::string Runs(std::size_t some, std::size_t all, std::string_view one, std::string_view many) {
  if (all == 1) return fmt::format("the run {}", one);
  if (some == all) return fmt::format("every run {}", one);
  return fmt::format("{} of {} runs {}", some, all, some == 1 ? one : many);
}

// Those that ended below 100 % called a person, are waiting still, and nobody else did.
bool AllAsk(const Endings& endings) {
  return endings.calling == endings.below && endings.still_asking == endings.below;
}

// "check errors is UNKNOWN", "10 % failed 4 times in a row": what is the same though its figures
// are not.
std::string_view HeadOf(std::string_view cause) { return cause.substr(0, cause.find(": ")); }

// Why a person was called first is why it does not go on: it is told once.
bool IsSaid(const Endings& endings) {
  std::string_view cause = endings.called_because;
  const std::string_view overdue = " for longer than ";
  if (const std::size_t at = cause.find(overdue); at != std::string_view::npos) {
    cause.remove_prefix(std::min(cause.find(": ", at), cause.size() - 2) + 2);
  }
  const std::string_view head = HeadOf(cause);
  const auto says_it = [&](std::string_view text) { return text.find(head) != text.npos; };
  return says_it(endings.doing) || std::ranges::any_of(endings.waits_for, says_it);
}

std::string AskingText(const Endings& endings, std::size_t runs) {
  const bool is_each = endings.below == runs || endings.below == 1;
  return fmt::format(", and {} for a person, {}first after {}{}", is_each ? "asks" : "ask",
                     endings.below > 1 ? "in the median " : "", ClockText(endings.called_after_s),
                     IsSaid(endings) ? "" : " (" + Clean(endings.called_because) + ")");
}

std::string BelowText(const Endings& endings, std::size_t runs) {
  const bool is_one = endings.below == 1;
  std::string text =
      fmt::format("{} at less than 100 %, {}at {}", Runs(endings.below, runs, "ends", "end"),
                  is_one ? "" : "in the median ", endings.share_below.ToString());
  if (AllAsk(endings)) text += AskingText(endings, runs);
  text += fmt::format("{}: {}", is_one ? "" : ". One of them", Clean(endings.doing));
  const bool is_told = endings.doing.find(endings.last_failure) != std::string::npos;
  if (!is_told) text += "; the last retreat: " + Clean(endings.last_failure);
  // Of a hold there is no more to say: a person would have to resume it, and nobody comes.
  if (endings.waits_for.empty() || endings.phase_below == "HOLDING") return text;
  for (std::size_t i = 0; i < endings.waits_for.size(); ++i) {
    text += (i > 0 ? "; " : ". It waits for: ") + Clean(endings.waits_for[i]);
  }
  return text;
}

std::string CallingText(const Endings& endings, std::size_t runs) {
  const std::string in = runs == 1 ? "in the run"
                         : endings.calling == runs
                             ? "in every run"
                             : fmt::format("in {} of {} runs", endings.calling, runs);
  return fmt::format("a person is called {}, {}first after {}: {}", in,
                     endings.calling > 1 ? "in the median " : "", ClockText(endings.called_after_s),
                     Clean(endings.called_because));
}

}  // namespace

Endings EndingsOf(const std::vector<RunResult>& results) {
  Results below;
  Results unserved;
  Results calling;
  for (const RunResult& result : results) {
    if (result.share < Share::All()) below.push_back(&result);
    const bool is_full = result.share == Share::All();
    if (is_full && result.served_at_end < kServedLeast) unserved.push_back(&result);
    if (result.call) calling.push_back(&result);
  }
  Endings endings;
  AddBelow(std::move(below), endings);
  AddUnserved(std::move(unserved), endings);
  AddCalling(std::move(calling), endings);
  return endings;
}

Rehearsed Summed(const rehearsal::Scenario& scenario, const std::vector<RunResult>& results) {
  std::vector<rehearsal::RunScore> scores;
  Rehearsed rehearsed{.scenario = scenario};
  for (const RunResult& result : results) {
    scores.push_back(result.score);
    rehearsed.came_to_full += result.score.to_full_s ? 1U : 0U;
  }
  rehearsed.figures = rehearsal::Aggregated(scenario, scores);
  rehearsed.endings = EndingsOf(results);
  return rehearsed;
}

Lines EndingTexts(const Rehearsed& rehearsed) {
  const Endings& endings = rehearsed.endings;
  const auto runs = static_cast<std::size_t>(rehearsed.figures.runs);
  Lines lines;
  if (endings.below > 0) lines.push_back(BelowText(endings, runs));
  if (endings.unserved > 0) {
    lines.push_back(fmt::format("{} at 100 %, but only {:.0f} % are served{}",
                                Runs(endings.unserved, runs, "ends", "end"), endings.served * 100,
                                endings.unserved > 1 ? " in the median" : ""));
  }
  const bool is_said = endings.below > 0 && AllAsk(endings);
  if (endings.calling > 0 && !is_said) lines.push_back(CallingText(endings, runs));
  for (std::string& line : lines) {
    line = Clean(rehearsed.scenario.name) + ": " + RoundDurations(line);
  }
  return lines;
}

}  // namespace headgate::cli
