// What somebody typed who gave an option and no value, as `--to "$SHARE"` does of a variable that
// is not set: never meant as what goes without. For arguments.cc alone.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace headgate::cli {

// In the order in which CLI11 wants them. It would take the next word for the value of `--to=`,
// be it --dry-run: that is two words here, the second one empty.
std::vector<std::string> ReversedWords(const std::vector<std::string>& words);

// Of `app` and the verb that was parsed: what stands there with an empty value.
std::vector<const CLI::Option*> OptionsWithoutValue(const CLI::App& app);

}  // namespace headgate::cli
