#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "cli/changes.h"
#include "cli/follow.h"
#include "cli/json.h"
#include "cli/picture.h"
#include "cli/words.h"

namespace headgate::cli {
namespace {

// Troubles of load balancers that last for less than this are no news: an order is on its way.
constexpr Duration kTroubleMin{1'000};
// While a restoration runs, whoever reads lines learns this often that it is not stuck.
constexpr Duration kSilenceOfLinesMax{30'000};

class Lined : public Screen {
 public:
  Lined(std::ostream& out, const Clock& clock) : out_(out), clock_(clock) {}

  void Show(const v1::Gate& gate) override {
    const Look look = Settled(gate);
    const TimePoint now = clock_.Now();
    Lines lines = Changes(before_ ? &*before_ : nullptr, look, now);
    if (lines.empty() && IsRunning(gate) && now - said_ >= kSilenceOfLinesMax) {
      lines.push_back(StillLine(gate, now));
    }
    if (!lines.empty()) said_ = now;
    for (const std::string& line : lines) out_ << line << '\n';
    out_.flush();
    before_ = look;
  }
  void Say(const std::string& line) override {
    out_ << FormatTimeOfDay(clock_.Now()) << ' ' << Clean(line) << std::endl;
  }

 private:
  struct Turn {
    std::string gist;
    TimePoint since;
  };

  // As it is, but for load balancers whose trouble began or ended just now: those are as before.
  Look Settled(const v1::Gate& gate) {
    Look look{gate, GistsOf(gate)};
    if (!before_) return look;
    for (auto& [name, gist] : look.gists) {
      const auto before = before_->gists.find(name);
      if (before == before_->gists.end() || before->second == gist) {
        turns_.erase(name);
        continue;
      }
      Turn& turn = turns_.try_emplace(name, Turn{gist, clock_.Now()}).first->second;
      if (turn.gist != gist) turn = Turn{gist, clock_.Now()};
      if (clock_.Now() - turn.since < kTroubleMin) gist = before->second;
    }
    return look;
  }

  std::ostream& out_;
  const Clock& clock_;
  // As it was told.
  std::optional<Look> before_;
  // When a line was written last.
  TimePoint said_;
  // What load balancers have turned to and nobody was told yet.
  std::map<std::string, Turn> turns_;
};

class Pictured : public Screen {
 public:
  Pictured(Terminal& terminal, const Clock& clock) : terminal_(terminal), clock_(clock) {}

  void Show(const v1::Gate& gate) override {
    gate_ = gate;
    heard_ = clock_.Now();
    is_lost_ = false;
    said_.clear();
    Draw();
  }
  void Say(const std::string& line) override {
    said_ = Clean(line);
    is_lost_ = true;
    Draw();
  }
  void ShowLost() override {
    is_lost_ = true;
    if (clock_.Now() - drawn_ >= kRedrawEvery) Draw();
  }

 private:
  static constexpr Duration kRedrawEvery{500};

  void Draw() {
    drawn_ = clock_.Now();
    const Size size = terminal_.size();
    // The last row is for what is said.
    Lines lines;
    if (gate_) {
      lines = Picture(*gate_, PictureOptions{.now = clock_.Now(),
                                             .size = Size{size.columns, size.rows - 1},
                                             .has_color = terminal_.has_color,
                                             .is_cut = true,
                                             .lost_since = is_lost_ ? heard_ : std::nullopt});
    }
    const std::size_t width = static_cast<std::size_t>(std::max(size.columns, 1));
    lines.push_back(said_.empty()
                        ? Cut(gate_ && IsRunning(*gate_) ? "Ctrl-C leaves; the restoration goes on"
                                                         : "Ctrl-C leaves",
                              width)
                        : Paint(Cut(said_, width), Color::kBad, terminal_.has_color));
    // Home, overwrite line by line, clear the rest: no flicker.
    std::string frame = is_first_ ? "\x1b[2J\x1b[H" : "\x1b[H";
    is_first_ = false;
    for (const std::string& line : lines) frame += line + "\x1b[K\r\n";
    terminal_.out << frame << "\x1b[J" << std::flush;
  }

  Terminal& terminal_;
  const Clock& clock_;
  std::optional<v1::Gate> gate_;
  // When the gate was heard of last.
  std::optional<TimePoint> heard_;
  TimePoint drawn_;
  std::string said_;
  bool is_lost_ = false;
  bool is_first_ = true;
};

class Documented : public Screen {
 public:
  Documented(Terminal& terminal, const Clock& clock) : terminal_(terminal), clock_(clock) {}

  void Show(const v1::Gate& gate) override {
    const bool has_changed = !before_ || !Changes(&*before_, gate, clock_.Now()).empty() ||
                             before_->restoration().phase() != gate.restoration().phase();
    if (has_changed) terminal_.out << ToJson(gate, /*on_one_line=*/true) << std::endl;
    before_ = gate;
  }
  void Say(const std::string& line) override { terminal_.err << Clean(line) << std::endl; }

 private:
  Terminal& terminal_;
  const Clock& clock_;
  std::optional<v1::Gate> before_;
};

}  // namespace

std::unique_ptr<Screen> LineScreen(std::ostream& out, const Clock& clock) {
  return std::make_unique<Lined>(out, clock);
}
std::unique_ptr<Screen> PictureScreen(Terminal& terminal, const Clock& clock) {
  return std::make_unique<Pictured>(terminal, clock);
}
std::unique_ptr<Screen> JsonScreen(Terminal& terminal, const Clock& clock) {
  return std::make_unique<Documented>(terminal, clock);
}

}  // namespace headgate::cli
