// What somebody meant who typed a verb or an option that there is not. For arguments.cc alone.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace headgate::cli {

// "there is no option '--scenaro'; did you mean '--scenario'?" once `app` has refused the words;
// empty where none of them is unknown.
std::string UnknownWord(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace headgate::cli
