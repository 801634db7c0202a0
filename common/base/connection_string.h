// Connection strings of databases in the form `host=db1 user='my user'`, which is libpq's: taken
// apart, and for MariaDB, whose client has none of its own, judged. Any thread; no state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headgate {

// Keywords and values in their order: values may stand in single quotes, and a backslash takes the
// next letter as it is. nullopt: this is no such string.
std::optional<std::vector<std::pair<std::string, std::string>>> SplitConnectionString(
    std::string_view text);

// "1" to "65535".
bool IsPort(const std::string& text);

// One that a connection string for MariaDB may have, or `password`.
bool IsMariaDsnKeyword(std::string_view word);

// What is wrong with a connection string for MariaDB, and what to write instead; nothing if it can
// be used. A password in it is refused: it is read from the option file that `option_file` names.
// Values are never repeated in the message.
std::optional<std::string> FindMariaDsnProblem(std::string_view dsn);

}  // namespace headgate
