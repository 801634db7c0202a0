// What somebody who mistyped a word meant. Pure: any thread.
#pragma once

#include <string>
#include <vector>

namespace headgate::agent {

// The one of `known` that is the fewest slips of the finger away (a letter too many, too few,
// another one, two swapped): at most one, or a third of the word's letters; else empty.
std::string Nearest(const std::string& word, const std::vector<std::string>& known);

// "; did you mean 'gates'?", or ": write one of gates, tls" where nothing is near.
std::string DidYouMean(const std::string& word, const std::vector<std::string>& known);

}  // namespace headgate::agent
