#include "cli/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/words.h"
#include "common/base/rounded.h"
#include "common/base/share.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kColumnsMin = 40;
constexpr std::size_t kWaitsShown = 3;
constexpr std::size_t kLinesOfDoing = 3;
constexpr std::size_t kLabelWidth = 11;
constexpr std::size_t kLinesOfBanner = 3;

struct Row {
  std::string line;
  // Shown first when there is no room for all.
  bool is_trouble = false;
};

std::size_t TroublesIn(const std::vector<Row>& rows) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.is_trouble; }));
}

// The places that `rows` need so that each trouble is seen, and how many more there are.
std::size_t PlacesNeeded(const std::vector<Row>& rows) {
  const std::size_t troubles = TroublesIn(rows);
  return troubles < rows.size() ? troubles + 1 : troubles;
}

// The rows that fit, those in trouble first but in their own order, and how many are left out.
Lines Choose(const std::vector<Row>& rows, std::size_t room, const std::string& rest) {
  Lines lines;
  if (rows.size() <= room) {
    for (const Row& row : rows) lines.push_back(row.line);
    return lines;
  }
  const std::size_t troubles = TroublesIn(rows);
  // A place for how many are left out, unless the last trouble needs it.
  const bool has_rest = troubles != room;
  const std::size_t shown = room > 0 && has_rest ? room - 1 : room;
  std::size_t calm_room = shown > troubles ? shown - troubles : 0;
  std::size_t left_out_troubles = 0;
  for (const Row& row : rows) {
    if (!row.is_trouble && calm_room == 0) continue;
    if (lines.size() == shown) {
      left_out_troubles += row.is_trouble ? 1U : 0U;
      continue;
    }
    if (!row.is_trouble) --calm_room;
    lines.push_back(row.line);
  }
  if (room > 0 && has_rest) {
    const std::size_t left_out = rows.size() - lines.size();
    lines.push_back(left_out_troubles == 0 ? fmt::format("  … and {} more, {}", left_out, rest)
                                           : fmt::format("  … and {} more, {} of them in trouble",
                                                         left_out, left_out_troubles));
  }
  return lines;
}

struct Rooms {
  std::size_t checks = 0;
  std::size_t agents = 0;
};

// Each table has what its troubles need; what is left goes to the checks up to one half, then to
// the load balancers, then to whoever has rows left.
Rooms Divide(std::size_t room, const std::vector<Row>& checks, const std::vector<Row>& agents) {
  const std::size_t half = room / 2;
  const std::size_t needs_checks = PlacesNeeded(checks);
  const std::size_t needs_agents = PlacesNeeded(agents);
  std::size_t for_checks = 0;
  if (needs_checks + needs_agents <= room) {
    const std::size_t most = room - needs_agents;
    const std::size_t wanted = std::max(half, room - std::min(room, agents.size()));
    for_checks = std::clamp(wanted, needs_checks, most);
  } else {
    // Not even the troubles fit: no table has more than half while the other needs it.
    for_checks =
        needs_checks <= half ? needs_checks : std::max(half, room - std::min(room, needs_agents));
  }
  for_checks = std::min(for_checks, checks.size());
  return Rooms{.checks = for_checks, .agents = room - for_checks};
}

class Painter {
 public:
  Painter(const v1::Gate& gate, const PictureOptions& options)
      : gate_(gate),
        options_(options),
        width_(std::max(kColumnsMin, static_cast<std::size_t>(std::max(options.size.columns, 0)))),
        limit_(options.is_whole ? std::string::npos : width_) {
    // As narrow as the names and the head allow: the trouble must be readable on 80 columns.
    for (const v1::Agent& agent : gate.agents()) {
      name_width_ = std::clamp<std::size_t>(Width(agent.name()), name_width_, 15);
    }
  }

  Lines Paint() {
    const std::vector<Row> checks = Checks();
    const std::vector<Row> agents = Agents();
    Lines head = Head();
    Lines foot = Foot();
    Rooms rooms{.checks = checks.size(), .agents = agents.size()};
    if (options_.is_cut) {
      std::size_t room = Room(head.size() + foot.size());
      if (room < PlacesNeeded(checks) + PlacesNeeded(agents)) {
        // Troubles before words about them.
        is_short_ = true;
        head = Head();
        foot.clear();
        room = Room(head.size());
      }
      rooms = Divide(room, checks, agents);
    }
    Lines lines = std::move(head);
    if (gate_.has_restoration()) {
      lines.push_back(Strong(CheckRow("CHECK", "VERDICT", "VALUE", "BOUND", "AGE", "")));
    }
    const bool has_ended = HasEnded(gate_.restoration().phase());
    for (std::string& line :
         Choose(checks, rooms.checks, has_ended ? "none in trouble" : "all HEALTHY")) {
      lines.push_back(std::move(line));
    }
    lines.push_back(
        Strong(AgentRow("LOAD BALANCER", "LINK", "STAGE", "SHARE", "REQ/S", "TROUBLE")));
    for (std::string& line : Choose(agents, rooms.agents, "all in order")) {
      lines.push_back(std::move(line));
    }
    for (std::string& line : foot) lines.push_back(std::move(line));
    return lines;
  }

 private:
  // For rows of tables, beside `used` other lines.
  std::size_t Room(std::size_t used) const {
    // One row stays free for the cursor, two are the tables' heads.
    const std::size_t rows = static_cast<std::size_t>(std::max(options_.size.rows, 12));
    return rows > used + 3 ? rows - used - 3 : 2;
  }

  // As it was is not as it is: nothing is good that is not seen.
  Color Seen(Color color) const {
    return options_.lost_since && color == Color::kGood ? Color::kFaint : color;
  }

  std::string Strong(const std::string& text) const {
    return cli::Paint(text, Color::kStrong, options_.has_color);
  }
  std::string Line(const std::string& label, const std::string& text) const {
    return Cut(Fit(label, kLabelWidth) + Clean(text), limit_);
  }
  // On as many lines as it needs, up to kLinesOfDoing.
  Lines Wrapped(const std::string& label, const std::string& text) const {
    Lines lines;
    const std::size_t lines_max = options_.is_whole || is_short_ ? 1 : kLinesOfDoing;
    for (const std::string& part : Wrap(Clean(text), width_ - kLabelWidth, lines_max)) {
      lines.push_back(Line(lines.empty() ? label : "", part));
    }
    return lines;
  }
  std::string Column(const std::string& text, std::size_t width) const {
    if (options_.is_whole && Width(text) > width) return text;
    return Fit(text, width);
  }

  // First of all, and on its own lines: everything below is as it was.
  Lines Banner() const {
    Lines lines;
    if (!options_.lost_since) return lines;
    const std::string text = fmt::format(
        "NO WORD FROM THE CONTROLLER for {}: this is how it was at {} UTC. No share rises "
        "meanwhile; `headgate-agent lower` works on the boxes",
        FormatRounded(options_.now - *options_.lost_since), FormatTimeOfDay(*options_.lost_since));
    for (const std::string& line : Wrap(text, width_, kLinesOfBanner)) {
      lines.push_back(cli::Paint(Fit(line, width_), Color::kAlarm, options_.has_color));
    }
    return lines;
  }

  Lines Head() const {
    Lines lines = Banner();
    const v1::Restoration& restoration = gate_.restoration();
    std::string state = "no restoration";
    Color color = Color::kNone;
    if (gate_.has_restoration()) {
      state = fmt::format("{} for {}", WordOf(restoration.phase()),
                          FormatSince(restoration.phase_since(), options_.now));
      color = ColorOf(restoration.phase());
    }
    if (StandsByItself(gate_)) {
      state = fmt::format("{} {}", StandsText(gate_), StandsSince(gate_, options_.now));
      color = Color::kDoubtful;
    }
    const std::string title = Clean(gate_.name()) + "  ";
    const std::string right =
        gate_.has_restoration()
            ? Clean(fmt::format("{} by {}", restoration.id(), restoration.started_by()))
            : "";
    const std::size_t room = width_ - std::min(width_, Width(title));
    const std::string left = Cut(state, room);
    std::string first = Strong(title) + cli::Paint(left, Seen(color), options_.has_color);
    const std::size_t used = Width(title) + Width(left);
    if (used + 2 + Width(right) <= width_) {
      first += std::string(width_ - used - Width(right), ' ') + right;
    }
    lines.push_back(first);
    for (const std::string& warning : Warnings(gate_)) {
      lines.push_back(cli::Paint(Cut("!! " + warning, limit_), Color::kBad, options_.has_color));
    }
    const std::string observed = ObservedText(gate_);
    const std::size_t bar = width_ - kLabelWidth -
                            std::min(width_ - 20, std::max<std::size_t>(18, Width(observed) + 1));
    lines.push_back(Line("desired", fmt::format("{} {}{}", Bar(gate_.share_ppm(), bar),
                                                FormatPpm(gate_.share_ppm()), Next())));
    lines.push_back(Line("observed", ObservedBar(bar) + " " + observed));
    if (!restoration.doing().empty()) {
      for (std::string& line : Wrapped("doing", restoration.doing())) lines.push_back(line);
    }
    const std::size_t waits = static_cast<std::size_t>(restoration.waits_for_size());
    const std::size_t shown = is_short_ ? 1 : kWaitsShown;
    for (std::size_t i = 0; i < std::min(waits, shown); ++i) {
      const bool is_last = i + 1 == shown && waits > shown && shown > 1;
      lines.push_back(
          Line(i == 0 ? "waits for:" : "",
               is_last ? fmt::format("… and {} more: headgate explain {}", waits - i, gate_.name())
                       : restoration.waits_for(static_cast<int>(i))));
    }
    return lines;
  }

  // "###+++...": all let in as many as "#" shows, some as many as "+" shows. What some may let in
  // beyond that is "?".
  std::string ObservedBar(std::size_t width) const {
    if (!gate_.observed()) return std::string(width, '?');
    std::string bar = Bar(gate_.observed_min_ppm(), width);
    const std::string largest = Bar(gate_.observed_max_ppm(), width);
    for (std::size_t i = 0; i < width; ++i) {
      if (bar[i] == '#') continue;
      if (largest[i] == '#') {
        bar[i] = '+';
      } else if (gate_.agents_unknown() > 0) {
        bar[i] = '?';
      }
    }
    return bar;
  }

  std::string Next() const {
    if (!IsRunning(gate_) || gate_.restoration().next_ppm() <= gate_.share_ppm()) return "";
    return " -> " + FormatPpm(gate_.restoration().next_ppm());
  }

  Lines Foot() const {
    Lines lines;
    const std::string cause = CauseText(gate_.changed_by());
    if (!cause.empty()) {
      lines.push_back(
          Line("last",
               fmt::format("{} UTC {}", FormatTimeOfDay(ToTimePoint(gate_.changed_at())), cause)));
    }
    return lines;
  }

  std::string CheckRow(const std::string& name, const std::string& verdict,
                       const std::string& value, const std::string& bound, const std::string& age,
                       const std::string& detail, Color color = Color::kNone) const {
    std::string row = Column(name, 15) + " ";
    row += cli::Paint(Column(verdict, 18), Seen(color), options_.has_color) + " ";
    // Colour codes take no place on the screen, so the rest is cut by itself.
    std::string rest =
        Column(value, 12) + " " + Column(bound, 12) + " " + Column(age, 7) + " " + detail;
    return row + Cut(rest, limit_ - std::min<std::size_t>(limit_, 35));
  }

  std::vector<Row> Checks() const {
    std::vector<Row> rows;
    for (const v1::CheckState& check : gate_.restoration().checks()) {
      const std::string name = Clean(check.name());
      if (IsNotWatched(check, gate_)) {
        rows.push_back({Cut(Column(name, 15) + " " + kNotWatched, limit_), false});
        continue;
      }
      rows.push_back(
          {CheckRow(name, VerdictText(check), Clean(check.value()), Clean(check.bound()),
                    AgeText(check),
                    check.findings_size() > 0 ? Clean(check.findings(0)) : Clean(check.detail()),
                    ColorOf(check.verdict())),
           check.verdict() != v1::HEALTHY});
    }
    return rows;
  }

  std::string AgeText(const v1::CheckState& check) const {
    if (!check.has_age()) return "-";
    const Duration since = options_.lost_since ? options_.now - *options_.lost_since : Duration(0);
    return FormatAge(ToDuration(check.age()) + since);
  }

  std::string AgentRow(const std::string& name, const std::string& link, const std::string& stage,
                       const std::string& share, const std::string& rate,
                       const std::string& trouble, Color color = Color::kNone) const {
    const std::string row = Column(name, name_width_) + " " + Column(link, 9) + " " +
                            Column(stage, 8) + " " + Column(share, 10) + " " + Column(rate, 5) +
                            " " + trouble;
    return cli::Paint(Cut(row, limit_), color, options_.has_color);
  }

  std::vector<Row> Agents() const {
    std::vector<Row> rows;
    for (const v1::Agent& agent : gate_.agents()) {
      const std::string trouble = TroubleOf(agent, gate_, options_.now);
      const bool is_trouble = !trouble.empty();
      rows.push_back({AgentRow(Clean(agent.name()), LinkText(agent),
                               std::string(WordOf(agent.report().stage())), EnforcedText(agent),
                               fmt::format("{:.0f}", agent.requests_per_second()), trouble,
                               ColorOfTrouble(agent, gate_)),
                      is_trouble});
    }
    if (rows.empty()) rows.push_back({"none has ever connected", true});
    return rows;
  }

  const v1::Gate& gate_;
  const PictureOptions& options_;
  const std::size_t width_;
  // Of a line's length.
  const std::size_t limit_;
  // Of load balancers' names.
  std::size_t name_width_ = 13;
  // There is no room for more than one line of words about anything.
  bool is_short_ = false;
};

}  // namespace

Lines Picture(const v1::Gate& gate, const PictureOptions& options) {
  return Painter(gate, options).Paint();
}

}  // namespace headgate::cli
