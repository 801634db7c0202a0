#include <algorithm>
#include <utility>

#include "cli/changes.h"
#include "cli/follow.h"
#include "cli/json.h"
#include "cli/picture.h"
#include "cli/words.h"

namespace headgate::cli {
namespace {

class Lined : public Screen {
 public:
  Lined(std::ostream& out, const Clock& clock) : out_(out), clock_(clock) {}

  void Show(const v1::Gate& gate) override {
    for (const std::string& line : Changes(before_ ? &*before_ : nullptr, gate, clock_.Now())) {
      out_ << line << '\n';
    }
    out_.flush();
    before_ = gate;
  }
  void Say(const std::string& line) override {
    out_ << FormatTimeOfDay(clock_.Now()) << ' ' << Clean(line) << std::endl;
  }

 private:
  std::ostream& out_;
  const Clock& clock_;
  std::optional<v1::Gate> before_;
};

class Pictured : public Screen {
 public:
  Pictured(Terminal& terminal, const Clock& clock) : terminal_(terminal), clock_(clock) {}

  void Show(const v1::Gate& gate) override {
    gate_ = gate;
    said_.clear();
    Draw();
  }
  void Say(const std::string& line) override {
    said_ = Clean(line);
    Draw();
  }

 private:
  void Draw() {
    const Size size = terminal_.size();
    // The last row is for what is said.
    Lines lines;
    if (gate_) {
      lines = Picture(*gate_, PictureOptions{.now = clock_.Now(),
                                             .size = Size{size.columns, size.rows - 1},
                                             .has_color = terminal_.has_color,
                                             .is_cut = true});
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
  std::string said_;
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
