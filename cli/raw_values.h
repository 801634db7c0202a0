// What was typed, word for word, and its way to values. Pure; CLI11 is not known here.
//
// A lowering needs nothing: what it cannot read of anything but the share and the gate's name it
// does without, and Command::notices says so. Every other verb is refused.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace headgate::cli {

struct RawValues {
  std::vector<std::string> controllers{};
  std::string socket{}, ca{}, certificate{}, key{};
  std::string output{}, timeout{}, wait_for{}, expected_revision{};
  std::string share{}, open_for{}, lifetime{}, cpu_share{};
  std::vector<std::string> labels{};
};

// Empty where the variable is not set.
using Variable = std::function<std::string(const std::string& name)>;

// Both fill in `command`, whose verb is known, and say what is wrong, or nothing.
std::string ReadConnection(const RawValues& raw, const Variable& variable, Command& command);
std::string ReadValues(const RawValues& raw, Command& command);

// Whether the words fit together.
std::string CheckWhole(const Command& command);

}  // namespace headgate::cli
