// The syntax of the names that people give. Pure functions, callable from any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace headgate::engine {

inline constexpr std::size_t kNameBytesMax = 63;

// 1 to 63 characters of [a-z0-9-], starting with a letter: a gate or a database.
bool IsGateName(std::string_view name);
// A gate, or a part of one: two such names with '@' between them.
bool IsGateOrPartName(std::string_view name);
inline constexpr std::string_view kGateNameRule =
    "1 to 63 characters of a-z, 0-9 and '-', starting with a letter";
inline constexpr std::string_view kPartNameRule =
    "GATE@PART, each of them 1 to 63 characters of a-z, 0-9 and '-', starting with a letter";

// 1 to 63 characters of [A-Za-z0-9._-], starting with a letter or digit: an agent, check, replica
// or database.
bool IsPlainName(std::string_view name);
inline constexpr std::string_view kPlainNameRule =
    "1 to 63 characters of letters, digits, '.', '_' and '-', starting with a letter or digit";

// `cookie NAME`, `header NAME` (NAME a token of RFC 9110) or `client_address`.
bool IsAdmitKey(std::string_view text);
inline constexpr std::string_view kAdmitKeyRule =
    "`cookie NAME`, `header NAME` or `client_address`";

}  // namespace headgate::engine
