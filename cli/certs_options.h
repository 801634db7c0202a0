// What `certs init` and `certs issue` take. For arguments.cc alone.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"

namespace headgate::cli {

// `lifetime` is filled in as it was typed, for ReadLifetime.
void AddCertsOptions(CLI::App& init, CLI::App& issue, CertsFlags& flags, std::string& lifetime);
// What is wrong with it; empty if nothing is.
std::string ReadLifetime(const std::string& text, CertsFlags& flags);

}  // namespace headgate::cli
