// What somebody who mistyped a word meant. Pure: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headgate {

// The one of `known` that is the fewest slips of the finger away (a letter too many, too few,
// another one, two swapped; capitals are none): at most two, one in a word of up to four letters.
// Empty: none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& known);

// "; did you mean 'gates'?", or nothing where none is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);
// The same, or ": write one of gates, tls".
std::string DidYouMeanOneOf(std::string_view word, const std::vector<std::string>& known);

}  // namespace headgate
