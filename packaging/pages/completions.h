// Completions of a program for each shell. Pure. Subcommands and options come with what they are;
// where an option takes one of a few words these, else, and for what stands free, names of files.
#pragma once

#include <string>

#include "packaging/pages/words.h"

namespace headgate::pages {

std::string BashCompletionOf(const Command& program);
std::string ZshCompletionOf(const Command& program);
std::string FishCompletionOf(const Command& program);

}  // namespace headgate::pages
