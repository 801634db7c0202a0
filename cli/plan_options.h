// The options of the verbs that need a plan and no controller. Internal to the arguments.
#pragma once

#include <string>

#include "cli/command.h"

namespace CLI {
class App;
}  // namespace CLI

namespace headgate::cli {

// `command` is filled in when the words are parsed.
void AddPlanOptions(CLI::App& validate, CLI::App& simulate, Command& command);
// What no single option is wrong about; empty: nothing.
std::string CheckPlanOptions(const Command& command);

}  // namespace headgate::cli
