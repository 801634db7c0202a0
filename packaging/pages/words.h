// A command line as the manual and the shells need it: read off the same CLI11 objects that parse
// it and print `--help`. Values; one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace headgate::pages {

struct Option {
  // "--output", "-o"; of a positional its name alone.
  std::vector<std::string> names;
  bool is_positional = false;
  bool takes_value = false;
  bool is_required = false;
  bool may_repeat = false;
  std::string type;
  std::string default_value;
  // Of those that are but a few words.
  std::vector<std::string> choices;
  std::string description;
};

struct Command {
  // Without the program's name: "gates create"; empty: the program itself.
  std::string path;
  std::string name;
  std::string description;
  std::string footer;
  std::vector<Option> options;
  // Options of the command above may stand behind it, too.
  bool takes_options_above = false;
  std::vector<Command> subcommands;
};

Command Describe(const CLI::App& app, const std::string& path = "");

// The command and all below it, each before its own.
std::vector<const Command*> All(const Command& command);

}  // namespace headgate::pages
