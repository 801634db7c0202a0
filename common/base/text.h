// Text from elsewhere, made fit for protobuf's strings, which must be UTF-8. Any thread; no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headgate {

// Every byte that is no part of a UTF-8 sequence is replaced by U+FFFD.
std::string ValidUtf8(std::string_view text);
// At most `bytes` of it, ending between two characters.
std::string CutUtf8(std::string_view text, std::size_t bytes);

// Nothing to read in it: empty, or ASCII white space alone.
bool IsBlank(std::string_view text);

}  // namespace headgate
