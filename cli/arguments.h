// The command line: words to a Command. Pure but for the environment that it is given.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/raw_values.h"

namespace CLI {
class App;
}  // namespace CLI

namespace headgate::cli {

// Help, or what is wrong with the words: nothing more is to be done.
struct Answer {
  ExitCode code = ExitCode::kDone;
  std::string text;
};

// `words` without the program's name.
std::variant<Command, Answer> ParseArguments(const std::vector<std::string>& words,
                                             const Variable& variable);

// The grammar itself, for the manual.
void ShowGrammar(const std::function<void(const CLI::App&)>& show);

}  // namespace headgate::cli
