// The options of `dbcheck`. Internal to the arguments.
#pragma once

#include <string>

#include "cli/command.h"

namespace CLI {
class App;
}  // namespace CLI

namespace headgate::cli {

// `cpu_share` is filled in as it was typed, for ReadCpuShare.
void AddDbcheckOptions(CLI::App& dbcheck, Command& command, std::string& cpu_share);
// What is wrong with it; empty: nothing.
std::string ReadCpuShare(const std::string& text, DbcheckFlags& flags);
// What no single option is wrong about; empty: nothing.
std::string CheckDbcheckOptions(const Command& command);

}  // namespace headgate::cli
