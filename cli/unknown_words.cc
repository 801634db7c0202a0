#include "cli/unknown_words.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/base/nearest.h"

namespace headgate::cli {
namespace {

using Words = std::vector<std::string>;

bool IsIn(const std::string& word, const Words& known) {
  return std::ranges::find(known, word) != known.end();
}

std::string UnknownVerb(const CLI::App& app, const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with('-')) {
      const CLI::Option* option = app.get_option_no_throw(words[i]);
      if (option != nullptr && option->get_expected_min() > 0) ++i;
      continue;
    }
    Words known;
    for (const CLI::App* verb : app.get_subcommands(nullptr)) known.push_back(verb->get_name());
    if (IsIn(words[i], known)) return "";
    return fmt::format("there is no verb '{}'{}", words[i], DidYouMean(words[i], known));
  }
  return "";
}

// Those of the verb that was typed, and of every verb.
void AddOptions(const CLI::App& app, Words& known) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const CLI::App* verb : app.get_subcommands()) AddOptions(*verb, known);
}

std::string UnknownOption(const CLI::App& app, const Words& words) {
  Words known;
  AddOptions(app, known);
  for (const std::string& word : words) {
    if (!word.starts_with("--") || word.size() == 2) continue;
    const std::string name = word.substr(0, word.find('='));
    if (!IsIn(name, known)) {
      return fmt::format("there is no option '{}' here{}", name, DidYouMean(name, known));
    }
  }
  return "";
}

}  // namespace

std::string UnknownWord(const CLI::App& app, const Words& words) {
  const std::string verb = UnknownVerb(app, words);
  return verb.empty() ? UnknownOption(app, words) : verb;
}

}  // namespace headgate::cli
