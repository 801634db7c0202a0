// The word that was meant. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace headgate::cli {

// "; did you mean 'close'?" where `word` is one slip of the finger from one of `known`, else "".
std::string Nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace headgate::cli
