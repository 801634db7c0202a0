// What the verbs of `certs` take. For arguments.cc alone.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"

namespace headgate::cli {

struct CertsVerbs {
  CLI::App& init;
  CLI::App& issue;
  CLI::App& check;
};

// `lifetime` is filled in as it was typed, for ReadLifetime; `lasts` (of check --for) likewise.
void AddCertsOptions(const CertsVerbs& verbs, CertsFlags& flags, std::string& lifetime,
                     std::string& lasts);
// What is wrong with it; empty if nothing is.
std::string ReadLifetime(const std::string& text, CertsFlags& flags);

}  // namespace headgate::cli
