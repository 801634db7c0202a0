#include "cli/empty_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace headgate::cli {
namespace {

void AddOptions(const CLI::App& app, std::vector<const CLI::Option*>& empty) {
  for (const CLI::Option* option : app.get_options()) {
    const std::vector<std::string>& values = option->results();
    if (std::ranges::find(values, "") != values.end()) empty.push_back(option);
  }
  for (const CLI::App* verb : app.get_subcommands()) AddOptions(*verb, empty);
}

}  // namespace

std::vector<std::string> ReversedWords(const std::vector<std::string>& words) {
  std::vector<std::string> reversed;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    const bool is_empty = word->starts_with("--") && word->find('=') == word->size() - 1;
    if (is_empty) reversed.emplace_back();
    reversed.push_back(is_empty ? word->substr(0, word->size() - 1) : *word);
  }
  return reversed;
}

std::vector<const CLI::Option*> OptionsWithoutValue(const CLI::App& app) {
  std::vector<const CLI::Option*> empty;
  AddOptions(app, empty);
  return empty;
}

}  // namespace headgate::cli
