#include "packaging/pages/words.h"

#include <sstream>

namespace headgate::pages {
namespace {

// CLI11 tells of a choice as a part of the type: "TEXT:{json,text}".
std::vector<std::string> ChoicesIn(const std::string& type) {
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> choices;
  std::istringstream words(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(words, word, ',');) choices.push_back(word);
  return choices;
}

Option DescribeOption(const CLI::Option& option) {
  Option described{.is_positional = option.get_positional(),
                   .takes_value = option.get_expected_max() > 0 && option.get_type_size_max() > 0,
                   .is_required = option.get_required(),
                   .may_repeat = option.get_expected_max() > 1,
                   .type = option.get_type_name(),
                   .default_value = option.get_default_str(),
                   .choices = ChoicesIn(option.get_type_name()),
                   .description = option.get_description()};
  for (const std::string& name : option.get_snames()) described.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) described.names.push_back("--" + name);
  if (described.is_positional) described.names = {option.get_name(true)};
  return described;
}

}  // namespace

Command Describe(const CLI::App& app, const std::string& path) {
  Command command{.path = path,
                  .name = app.get_name(),
                  .description = app.get_description(),
                  .footer = app.get_footer(),
                  .takes_options_above = app.get_fallthrough()};
  for (const CLI::Option* option : app.get_options()) {
    command.options.push_back(DescribeOption(*option));
  }
  for (const CLI::App* below : app.get_subcommands(nullptr)) {
    command.subcommands.push_back(
        Describe(*below, path + (path.empty() ? "" : " ") + below->get_name()));
  }
  return command;
}

std::vector<const Command*> All(const Command& command) {
  std::vector<const Command*> all{&command};
  for (const Command& below : command.subcommands) {
    for (const Command* one : All(below)) all.push_back(one);
  }
  return all;
}

}  // namespace headgate::pages
