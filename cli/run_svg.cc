#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "cli/simulation.h"
#include "cli/strip.h"
#include "cli/svg.h"
#include "common/base/number.h"

namespace headgate::cli {
namespace {

using rehearsal::Moment;

constexpr double kWidth = 1'040;
constexpr double kLeft = 64;
constexpr double kRight = 24;
constexpr double kTop = 84;
constexpr double kGap = 42;
constexpr double kShareHeight = 190;
constexpr double kOtherHeight = 110;
constexpr double kListLine = 18;
// Below the panels: the time, then badges in rows, so that those of near decisions stand apart.
constexpr double kTimeBelow = 18;
constexpr double kBadgesBelow = 36;
constexpr double kBadge = 17;
constexpr int kBadgeRows = 4;
constexpr double kListBelow = kBadgesBelow + kBadge * kBadgeRows;
constexpr std::size_t kPointsMax = 900;
// Of a wide font (DejaVu Sans; Verdana is no wider): a character takes so much of its size, on
// average over what we write. A document cannot ask how wide its text became.
constexpr double kCharacter = 0.63;
constexpr double kBoldCharacter = 0.70;
constexpr double kTextSize = 13;
constexpr double kTitleSize = 17;
constexpr double kSmallSize = 11;
constexpr double kTitleLine = 22;
constexpr double kWhyLeft = kLeft + 250;
constexpr std::size_t kLinesMax = 40;

using Value = std::function<double(const Moment&)>;

struct Curve {
  std::string name;
  std::string style;
  Value value;
};

struct Panel {
  std::string title;
  double height = 0;
  // What the upper edge stands for.
  double top = 1;
  std::vector<Curve> curves;
  // A dashed line; kNothing: none.
  double limit = kNothing;
};

// How many characters fit between `left` and the right edge.
std::size_t ColumnsFrom(double left, double size, double character = kCharacter) {
  return static_cast<std::size_t>((kWidth - kRight - left) / (size * character));
}

double Ratio(std::int64_t part, std::int64_t all) {
  return all == 0 ? kNothing : double(part) / double(all);
}

class RunPicture {
 public:
  explicit RunPicture(const Simulation& simulation)
      : simulation_(simulation),
        marks_(MarksOf(simulation.record)),
        seconds_(SecondsWorthDrawing(simulation.record)),
        panels_(Panels()),
        title_(Wrap(Title(), ColumnsFrom(kLeft, kTitleSize, kBoldCharacter), kLinesMax)),
        subtitle_(Wrap(Subtitle(), ColumnsFrom(kLeft, kSmallSize), kLinesMax)),
        svg_(kWidth, Height(), Title()) {}

  std::string Draw() && {
    DrawHead();
    double y = Top();
    const double bottom = PanelsEnd();
    DrawDark(y, bottom);
    DrawMarks(y, bottom);
    for (const Panel& panel : panels_) {
      DrawPanel(panel, y);
      y += panel.height + kGap;
    }
    DrawTime(bottom);
    DrawList(bottom + kListBelow);
    return std::move(svg_).Finish();
  }

 private:
  std::string Title() const {
    return fmt::format("{} on {}: {}", Clean(simulation_.plan_file), Clean(simulation_.drawn.name),
                       Clean(simulation_.drawn.what));
  }

  std::string Subtitle() const {
    return fmt::format(
        "run {} of headgate simulate with seed {}; {} requests/s and {} users at "
        "100 %; the first {} of {}",
        simulation_.drawn_run, simulation_.seed, PlainNumber(simulation_.drawn.site.rps),
        PlainNumber(simulation_.drawn.site.users), ClockText(double(seconds_)),
        ClockText(simulation_.drawn.site.duration_s));
  }

  // Of the first panel: one line of title and one below it fit above kTop.
  double Top() const {
    return kTop + kTitleLine * double(title_.size() - 1) + kListLine * double(subtitle_.size() - 1);
  }

  void DrawHead() {
    double y = 30;
    for (const std::string& line : title_) {
      svg_.Text(kLeft, y, line, "class=\"title\"");
      y += kTitleLine;
    }
    for (const std::string& line : subtitle_) {
      svg_.Text(kLeft, y - 2, line, "class=\"small\"");
      y += kListLine;
    }
  }

  double PanelsEnd() const {
    double y = Top() - kGap;
    for (const Panel& panel : panels_) y += panel.height + kGap;
    return y;
  }

  // There are more, and the list says so.
  bool IsCut() const { return marks_.size() < CountOfMarks(simulation_.record); }

  double Height() const {
    std::size_t lines = 2 + (IsCut() ? 1 : 0);
    for (const Mark& mark : marks_) lines += WhyLines(mark.decision).size();
    return PanelsEnd() + kListBelow + kListLine * double(lines);
  }

  static Lines WhyLines(const rehearsal::Decision& decision) {
    return Wrap(CauseText(decision), ColumnsFrom(kWhyLeft, kTextSize), kLinesMax);
  }

  double X(double at_s) const {
    return kLeft + (kWidth - kLeft - kRight) * at_s / double(seconds_);
  }

  std::span<const Moment> Moments() const { return {simulation_.record.moments.data(), seconds_}; }

  std::vector<Panel> Panels() const {
    std::vector<Panel> panels;
    panels.push_back(
        {.title = "share of the users",
         .height = kShareHeight,
         .curves = {
             {"in force at the load balancers", "effective",
              [](const Moment& moment) { return moment.truth.share; }},
             {"commanded", "commanded",
              [](const Moment& moment) { return double(moment.commanded.ppm()) / Share::kPpmMax; }},
             {"served", "served", [](const Moment& moment) { return moment.truth.served; }}}});
    Panel errors{
        .title = "counted requests",
        .height = kOtherHeight,
        .curves = {
            {"errors", "errors",
             [](const Moment& moment) { return Ratio(moment.seen.errors, moment.seen.requests); }},
            {"slow", "slow",
             [](const Moment& moment) { return Ratio(moment.seen.slow, moment.seen.requests); }}}};
    errors.limit = ErrorLimitOf(simulation_.plan).value_or(kNothing);
    errors.top = TopOf(errors);
    panels.push_back(std::move(errors));
    Panel utilisation{.title = "utilisation of the database",
                      .height = kOtherHeight,
                      .curves = {{"utilisation", "utilisation", [](const Moment& moment) {
                                    return moment.seen.utilisation.value_or(kNothing);
                                  }}}};
    if (HasAny(utilisation.curves.front())) panels.push_back(std::move(utilisation));
    panels.push_back({.title = "evidence, as a part of what a retreat or a raise needs",
                      .height = kOtherHeight,
                      .curves = {{"against the share", "against",
                                  [](const Moment& moment) { return moment.weighing.against; }},
                                 {"for the next share", "favour", [](const Moment& moment) {
                                    return moment.weighing.in_favour;
                                  }}}});
    return panels;
  }

  bool HasAny(const Curve& curve) const {
    return std::ranges::any_of(
        Moments(), [&](const Moment& moment) { return !std::isnan(curve.value(moment)); });
  }

  // Four limits, or as much as the first curve takes; a single bad second may go over the edge.
  double TopOf(const Panel& panel) const {
    std::vector<double> values;
    for (const Moment& moment : Moments()) {
      const double value = panel.curves.front().value(moment);
      if (!std::isnan(value)) values.push_back(value);
    }
    const double least = std::isnan(panel.limit) ? 0.02 : 4 * panel.limit;
    if (values.empty()) return std::min(1.0, least);
    const auto high = values.begin() + std::ssize(values) * 99 / 100;
    std::nth_element(values.begin(), high, values.end());
    return std::min(1.0, std::max(least, *high));
  }

  void DrawPanel(const Panel& panel, double y) {
    const double right = kWidth - kRight;
    svg_.Rectangle(kLeft, y, right - kLeft, panel.height, "class=\"frame\"");
    for (const double part : {0.0, 0.5, 1.0}) {
      const double at = y + panel.height * (1 - part);
      if (part == 0.5) svg_.Line(kLeft, at, right, at, "class=\"grid\"");
      svg_.Text(kLeft - 6, at + 4, PlainNumber(part * panel.top * 100, 3) + " %",
                "class=\"small end\"");
    }
    if (!std::isnan(panel.limit) && panel.limit < panel.top) {
      const double at = y + panel.height * (1 - panel.limit / panel.top);
      svg_.Line(kLeft, at, right, at, "class=\"limit\"");
      svg_.Text(right - 4, at - 4, "limit " + PlainNumber(panel.limit * 100) + " %",
                "class=\"small end\"");
    }
    svg_.Text(kLeft, y - 8, panel.title, "class=\"head\"");
    double x = right;
    for (auto curve = panel.curves.rbegin(); curve != panel.curves.rend(); ++curve) {
      // About what the text is wide.
      const double width = 8.2 * double(curve->name.size());
      svg_.Text(x - width, y - 8, curve->name);
      svg_.Line(x - width - 34, y - 12, x - width - 8, y - 12, ClassOf(*curve));
      x -= width + 56;
    }
    for (const Curve& curve : panel.curves) DrawCurve(curve, panel, y);
  }

  static std::string ClassOf(const Curve& curve) { return "class=\"" + curve.style + "\""; }

  // The largest value within each step of the drawing; gaps where there is none.
  void DrawCurve(const Curve& curve, const Panel& panel, double y) {
    const std::size_t step = std::max<std::size_t>(1, (seconds_ + kPointsMax - 1) / kPointsMax);
    Points points;
    for (std::size_t from = 0; from < seconds_; from += step) {
      double value = kNothing;
      for (const Moment& moment : Moments().subspan(from, std::min(step, seconds_ - from))) {
        value = std::fmax(value, curve.value(moment));
      }
      if (std::isnan(value)) {
        svg_.Path(std::exchange(points, {}), ClassOf(curve));
        continue;
      }
      const double part = std::clamp(value / panel.top, 0.0, 1.0);
      points.emplace_back(X(double(from + step)), y + panel.height * (1 - part));
    }
    svg_.Path(points, ClassOf(curve));
  }

  void DrawDark(double top, double bottom) {
    const auto moments = Moments();
    for (std::size_t from = 0; from < seconds_;) {
      std::size_t to = from;
      while (to < seconds_ && !moments[to].seen.has_data) ++to;
      if (to > from) {
        const double width = X(double(to)) - X(double(from));
        svg_.Rectangle(X(double(from)), top, width, bottom - top, "class=\"dark\"");
        svg_.Text(X(double(from)) + width / 2, top + 14, "no data", "class=\"small mid\"");
      }
      from = to + 1;
    }
  }

  void DrawMarks(double top, double bottom) {
    double last = -kBadge;
    int row = 0;
    for (const Mark& mark : marks_) {
      const double x = X(mark.decision.at_s);
      row = x - last < kBadge ? (row + 1) % kBadgeRows : 0;
      last = x;
      const double y = bottom + kBadgesBelow + kBadge * row;
      const bool is_bad = mark.decision.is_retreat;
      svg_.Line(x, top, x, y, is_bad ? "class=\"mark retreat\"" : "class=\"mark\"");
      svg_.Circle(x, y, 8, is_bad ? "class=\"bad\"" : "class=\"badge\"");
      svg_.Text(x, y + 4, std::string(1, mark.label), "class=\"on mid\"");
    }
  }

  void DrawTime(double bottom) {
    for (int tick = 0; tick <= 6; ++tick) {
      const double at_s = double(seconds_) * tick / 6;
      svg_.Text(X(at_s), bottom + kTimeBelow, ClockText(at_s), "class=\"small mid\"");
    }
  }

  void DrawList(double y) {
    svg_.Text(kLeft, y + kListLine, "decisions", "class=\"head\"");
    double line = y + kListLine * 2;
    for (const Mark& mark : marks_) {
      const rehearsal::Decision& decision = mark.decision;
      svg_.Circle(kLeft + 8, line - 4, 8,
                  decision.is_retreat ? "class=\"bad\"" : "class=\"badge\"");
      svg_.Text(kLeft + 8, line, std::string(1, mark.label), "class=\"on mid\"");
      svg_.Text(kLeft + 66, line, ClockText(decision.at_s), "class=\"end\"");
      svg_.Text(kLeft + 80, line, MoveText(decision));
      for (const std::string& why : WhyLines(decision)) {
        svg_.Text(kWhyLeft, line, why);
        line += kListLine;
      }
    }
    if (!IsCut()) return;
    svg_.Text(kLeft, line,
              fmt::format("only the first {} of {} are marked: -o json has all", kMarksMax,
                          CountOfMarks(simulation_.record)),
              "class=\"small\"");
  }

  const Simulation& simulation_;
  const std::vector<Mark> marks_;
  const std::size_t seconds_;
  const std::vector<Panel> panels_;
  const Lines title_;
  const Lines subtitle_;
  Svg svg_;
};

}  // namespace

std::string RunSvg(const Simulation& simulation) { return RunPicture(simulation).Draw(); }

}  // namespace headgate::cli
