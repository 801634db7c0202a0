// Follows a gate through WatchGate, across the controller's restarts, until its restoration needs
// somebody. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "common/base/clock.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

// The controller promises a message each second; after this silence it is looked for anew.
inline constexpr Duration kSilenceMax{3'000};

// Where a followed gate is shown.
class Screen {
 public:
  virtual ~Screen() = default;
  virtual void Show(const v1::Gate& gate) = 0;
  // About the connection, not the gate.
  virtual void Say(const std::string& line) = 0;
  // Again and again while there is no word from the controller, at least once a second.
  virtual void ShowLost() {}
};

// One line for each change.
std::unique_ptr<Screen> LineScreen(std::ostream& out, const Clock& clock);
// Redrawn in place.
std::unique_ptr<Screen> PictureScreen(Terminal& terminal, const Clock& clock);
// One compact JSON document on a line for each change.
std::unique_ptr<Screen> JsonScreen(Terminal& terminal, const Clock& clock);

struct FollowRequest {
  std::string gate;
  // Whose end is the end. Empty: of the restoration that is there at first, if `until_end`.
  std::string restoration;
  bool until_end = false;
  std::optional<Duration> timeout;
};

struct Followed {
  ExitCode code = ExitCode::kDone;
  std::string text;
  // As it was seen last.
  std::optional<v1::Gate> gate;
};

struct FollowParts {
  Controller& controller;
  Screen& screen;
  const Interrupt& interrupt;
  const Clock& clock;
};

Followed Follow(const FollowRequest& request, const FollowParts& parts);

}  // namespace headgate::cli
