#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cli/simulation.h"
#include "cli/strip.h"
#include "common/base/number.h"

namespace headgate::cli {
namespace {

using rehearsal::Moment;

constexpr std::size_t kLabelWidth = 20;
constexpr std::size_t kColumnsMin = 30;
constexpr std::size_t kColumnsMax = 120;
constexpr std::size_t kListedMax = 16;
constexpr std::size_t kTicks = 4;

// The seconds of a column, taken together.
using Sight = std::function<double(std::span<const Moment>)>;

double MaxOf(std::span<const Moment> moments, double (*value)(const Moment&)) {
  double most = kNothing;
  for (const Moment& moment : moments) most = std::fmax(most, value(moment));
  return most;
}

// Of all the requests of a column.
Sight PartCounted(std::int64_t rehearsal::Seen::*counted) {
  return [counted](std::span<const Moment> moments) {
    std::int64_t requests = 0;
    std::int64_t found = 0;
    for (const Moment& moment : moments) {
      requests += moment.seen.requests;
      found += moment.seen.*counted;
    }
    return requests == 0 ? kNothing : double(found) / double(requests);
  };
}

class Drawing {
 public:
  Drawing(const Simulation& simulation, const DrawingOptions& options)
      : simulation_(simulation), options_(options) {
    const std::size_t room = options.columns > kLabelWidth ? options.columns - kLabelWidth - 1 : 0;
    const std::size_t width = std::clamp(room, kColumnsMin, kColumnsMax);
    seconds_ = SecondsWorthDrawing(simulation.record);
    per_column_ = std::max<std::size_t>(1, (seconds_ + width - 1) / width);
    columns_ = (seconds_ + per_column_ - 1) / per_column_;
  }

  Lines Draw() {
    const rehearsal::Scenario& scenario = simulation_.drawn;
    lines_.push_back(Cut(fmt::format("Run {} of {} on {}: {}", simulation_.drawn_run,
                                     simulation_.runs, Clean(scenario.name), Clean(scenario.what)),
                         std::max(options_.columns, kLabelWidth + kColumnsMin)));
    lines_.push_back(fmt::format("the first {} of {}, {} s a column", ClockText(double(seconds_)),
                                 ClockText(scenario.site.duration_s), per_column_));
    AddShare();
    AddMarks();
    AddErrors();
    AddSlow();
    AddUtilisation();
    AddEvidence();
    AddTime();
    AddDecisions();
    return std::move(lines_);
  }

 private:
  std::vector<double> ByColumn(const Sight& sight) const {
    const std::span<const Moment> all(simulation_.record.moments.data(), seconds_);
    std::vector<double> values;
    for (std::size_t from = 0; from < seconds_; from += per_column_) {
      values.push_back(sight(all.subspan(from, std::min(per_column_, seconds_ - from))));
    }
    return values;
  }

  // `labels`: one a row, from above; rows without one have none.
  void Add(const Strip& strip, const Lines& labels) {
    const Lines drawn = DrawStrip(strip, options_.has_blocks, options_.has_color);
    for (std::size_t row = 0; row < drawn.size(); ++row) {
      const std::string label = row < labels.size() ? labels[row] : "";
      lines_.push_back(Fit(label, kLabelWidth) + "|" + drawn[row]);
    }
  }

  void AddShare() {
    Add({.values = ByColumn([](std::span<const Moment> moments) {
           return double(moments.back().commanded.ppm()) / Share::kPpmMax;
         }),
         .rows = 5},
        {"share         100 %", "", "", "", "                0 %"});
  }

  void AddMarks() {
    std::string marks(columns_, '-');
    for (const Mark& mark : MarksOf(simulation_.record)) {
      const auto column = static_cast<std::size_t>(mark.decision.at_s) / per_column_;
      if (column < columns_) marks[column] = mark.label;
    }
    lines_.push_back(Fit("decisions", kLabelWidth) + "+" + marks);
  }

  void AddErrors() {
    AddRatio("errors", PartCounted(&rehearsal::Seen::errors), ErrorLimitOf(simulation_.plan));
  }

  // Where the plan counts them, and there are any to speak of.
  void AddSlow() {
    const std::optional<double> limit = SlowLimitOf(simulation_.plan);
    if (!limit) return;
    const Sight slow = PartCounted(&rehearsal::Seen::slow);
    const std::vector<double> parts = ByColumn(slow);
    const auto is_many = [&](double part) { return part > *limit / 2; };
    if (std::ranges::any_of(parts, is_many)) AddRatio("slow", slow, limit);
  }

  void AddRatio(const char* name, const Sight& sight, const std::optional<double>& limit) {
    Strip strip{.values = ByColumn(sight), .top = limit.value_or(0.01) * 2, .rows = 3};
    for (const double value : strip.values) strip.top = std::fmax(strip.top, value);
    if (limit) strip.limit = *limit;
    const std::string above = options_.has_color ? "red" : "'!'";
    const bool is_marked = limit && (options_.has_color || !options_.has_blocks);
    Add(strip, {fmt::format("{:<6} {:>10} %", name, PlainNumber(strip.top * 100, 3)),
                limit ? "  limit " + PlainNumber(*limit * 100) + " %" : "",
                is_marked ? fmt::format("  above it: {}", above) : ""});
  }

  void AddUtilisation() {
    const std::vector<double> values = ByColumn([](std::span<const Moment> moments) {
      return MaxOf(moments,
                   [](const Moment& moment) { return moment.seen.utilisation.value_or(kNothing); });
    });
    if (std::ranges::all_of(values, [](double value) { return std::isnan(value); })) return;
    Add({.values = values, .rows = 2}, {"database      100 %", "  utilisation"});
  }

  void AddEvidence() {
    Add({.values = ByColumn([](std::span<const Moment> moments) {
           return MaxOf(moments, [](const Moment& moment) { return moment.weighing.against; });
         }),
         .limit = 0.99,
         .rows = 2},
        {"against     retreat", "  the share"});
    Add({.values = ByColumn([](std::span<const Moment> moments) {
           return MaxOf(moments, [](const Moment& moment) { return moment.weighing.in_favour; });
         }),
         .rows = 2},
        {"for           raise", "  the next one"});
  }

  void AddTime() {
    std::string line;
    for (std::size_t tick = 0; tick < kTicks; ++tick) {
      const std::size_t column = columns_ * tick / kTicks;
      const std::size_t next = columns_ * (tick + 1) / kTicks;
      line += Fit("'" + ClockText(double(column * per_column_)), next - column);
    }
    lines_.push_back(std::string(kLabelWidth + 1, ' ') + line);
  }

  void AddDecisions() {
    const std::vector<Mark> marks = MarksOf(simulation_.record);
    for (std::size_t i = 0; i < std::min(marks.size(), kListedMax); ++i) {
      const rehearsal::Decision& decision = marks[i].decision;
      std::string line =
          fmt::format("  {} {:>6}  {:<16} {}", marks[i].label, ClockText(decision.at_s),
                      MoveText(decision), CauseText(decision));
      // A file or a pipe has no edge.
      if (options_.cuts) line = Cut(line, std::max(options_.columns, kLabelWidth + kColumnsMin));
      lines_.push_back(
          Paint(line, decision.is_retreat ? Color::kBad : Color::kNone, options_.has_color));
    }
    const std::size_t all = CountOfMarks(simulation_.record);
    if (all <= kListedMax) return;
    lines_.push_back(fmt::format(
        "    and {} more: {}", all - kListedMax,
        all > kMarksMax ? fmt::format("-o svg has the first {}, -o json has all", kMarksMax)
                        : std::string("-o svg and -o json have them")));
  }

  const Simulation& simulation_;
  const DrawingOptions options_;
  std::size_t seconds_ = 0;
  std::size_t per_column_ = 1;
  std::size_t columns_ = 0;
  Lines lines_;
};

}  // namespace

Lines RunDrawing(const Simulation& simulation, const DrawingOptions& options) {
  return Drawing(simulation, options).Draw();
}

}  // namespace headgate::cli
