#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/simulation.h"
#include "common/base/number.h"

namespace headgate::cli {
namespace {

using rehearsal::Kind;
using rehearsal::Spread;

constexpr std::size_t kColumnsWidth = 55;
constexpr std::size_t kNameWidthMin = 20;
constexpr std::size_t kNameWidthMax = 55;
// Longer lines are hard to read.
constexpr std::size_t kLineWidthMin = 40;
constexpr std::size_t kLineWidthMax = 100;

std::string Hours(double seconds) {
  if (seconds == 3'600) return "one hour";
  return seconds < 3'600 ? PlainNumber(seconds / 60) + " minutes"
                         : PlainNumber(seconds / 3'600) + " hours";
}

std::string Minutes(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.1f}", *seconds / 60) : "never";
}

// "1.5 (1.5..1.6)".
std::string ToFullText(const Spread& spread) {
  if (!spread.p05) return "never";
  return fmt::format("{} ({}..{})", Minutes(spread.median), Minutes(spread.p05),
                     Minutes(spread.p95));
}

std::string Seconds(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.0f}", *seconds) : "never";
}

std::string FoundText(const Rehearsed& rehearsed) {
  if (rehearsed.scenario.kind != Kind::kBad) return "-";
  const Spread& delay = rehearsed.figures.delay_s;
  return delay.p05 ? fmt::format("{} ({})", Seconds(delay.median), Seconds(delay.p95)) : "never";
}

// Retreats an hour over all runs; a few runs tell it coarsely.
std::string FalseText(const Rehearsed& rehearsed) {
  if (rehearsed.figures.early_retreats) {
    return PlainNumber(rehearsed.figures.early_retreats_per_hour, 3);
  }
  if (rehearsed.scenario.kind != Kind::kBearable) return "-";
  const double hours = rehearsed.scenario.site.duration_s / 3'600;
  return PlainNumber(rehearsed.figures.retreats.mean / hours, 3);
}

// The columns beside the platform's name.
std::string Columns(std::string_view full, std::string_view wrong, std::string_view found,
                    std::string_view lost, std::string_view collapse) {
  return fmt::format(" {:>17} {:>7} {:>10} {:>8} {:>8}", full, wrong, found, lost, collapse);
}

std::string RowOf(const Rehearsed& rehearsed, std::size_t name_width) {
  const rehearsal::Aggregate& figures = rehearsed.figures;
  return Fit(fmt::format("{:<4} {}", Clean(rehearsed.scenario.name),
                         Clean(rehearsed.scenario.what)),
             name_width) +
         Columns(ToFullText(figures.to_full_s), FalseText(rehearsed), FoundText(rehearsed),
                 fmt::format("{:.0f}", figures.lost_kum.mean),
                 fmt::format("{:.0f}", figures.collapse_s.mean));
}

// Broken between words; what follows the first line is indented.
void AddWrapped(const std::string& text, std::size_t width, const std::string& indent,
                Lines& lines) {
  std::string_view rest = text;
  std::string before;
  while (!rest.empty()) {
    const std::string line = FirstLine(rest, width - before.size());
    lines.push_back(before + line);
    rest.remove_prefix(line.size());
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    before = indent;
  }
}

std::string Head(const Simulation& simulation) {
  const rehearsal::Scenario::Site& site = simulation.rehearsed.front().scenario.site;
  const bool is_same = std::ranges::all_of(simulation.rehearsed, [&](const Rehearsed& other) {
    return other.scenario.site.users == site.users &&
           other.scenario.site.duration_s == site.duration_s;
  });
  const std::string of_what =
      is_same ? fmt::format("{} each, {} users, ", Hours(site.duration_s), PlainNumber(site.users))
              : "";
  return fmt::format("{}: {} run{} on each platform, {}seed {}", Clean(simulation.plan_file),
                     simulation.runs, simulation.runs == 1 ? "" : "s", of_what, simulation.seed);
}

void AddTraffic(const Simulation& simulation, std::size_t width, Lines& lines) {
  std::string text;
  for (const Rehearsed& rehearsed : simulation.rehearsed) {
    text += fmt::format("{}{} {}", text.empty() ? "requests/s at 100 % (--rps): " : ", ",
                        Clean(rehearsed.scenario.name), PlainNumber(rehearsed.scenario.site.rps));
  }
  AddWrapped(text, width, "    ", lines);
}

}  // namespace

Lines SimulationText(const Simulation& simulation, std::size_t columns) {
  const std::size_t width = std::clamp(columns, kLineWidthMin, kLineWidthMax);
  const std::size_t name_width =
      std::clamp(std::max(columns, kColumnsWidth) - kColumnsWidth, kNameWidthMin, kNameWidthMax);
  Lines lines = {Head(simulation)};
  AddTraffic(simulation, width, lines);
  lines.emplace_back();
  lines.push_back(Fit("", name_width) +
                  Columns("MINUTES TO 100 %", "FALSE", "FOUND", "LOST", "COLLAPSE"));
  lines.push_back(Fit("PLATFORM", name_width) +
                  Columns("median (5..95 %)", "an hour", "s (95 %)", "k u-min", "s"));
  for (const Rehearsed& rehearsed : simulation.rehearsed) {
    lines.push_back(RowOf(rehearsed, name_width));
  }
  lines.emplace_back();
  const rehearsal::Scenario::Site& site = simulation.rehearsed.front().scenario.site;
  for (const std::string& text :
       {std::string("100 %: from then on at least 95 % of all users are served for a minute."),
        std::string(
            "FALSE: retreats on a platform that can carry everybody, and on a bad one before "
            "the onset of its trouble. FOUND: from the onset to the first retreat, median "
            "and 95 % of the runs."),
        fmt::format("LOST: thousand user-minutes (of {}) in which somebody was out or got an "
                    "error, mean. COLLAPSE: time in which less than half of those who were in were "
                    "served, mean.",
                    PlainNumber(site.users * site.duration_s / 60 / 1e3))}) {
    AddWrapped(text, width, "    ", lines);
  }
  Lines ends;
  for (const Rehearsed& rehearsed : simulation.rehearsed) {
    for (const std::string& text : EndingTexts(rehearsed)) AddWrapped(text, width, "    ", ends);
  }
  if (!ends.empty()) lines.emplace_back();
  lines.insert(lines.end(), ends.begin(), ends.end());
  if (!simulation.assumptions.empty()) lines.emplace_back();
  for (const std::string& assumption : simulation.assumptions) {
    AddWrapped("assumed: " + assumption, width, "    ", lines);
  }
  return lines;
}

}  // namespace headgate::cli
