// The words below `gates`. For arguments.cc alone.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command.h"

namespace headgate::cli {

// `labels` is filled in as it was typed, for ReadLabels.
void AddSplitOptions(CLI::App& split, std::vector<std::string>& labels);
// What is wrong with them; empty if nothing is.
std::string ReadLabels(const std::vector<std::string>& labels, Command& command);

}  // namespace headgate::cli
