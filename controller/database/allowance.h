// Differences that an operator has allowed: patterns `schema.table` (the table and everything of
// it) and `schema.table.name` (one column, constraint, index or trigger), where `*` stands for any
// characters within a part. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headgate::database {

// `name` is empty for the table itself.
bool IsAllowed(const std::vector<std::string>& patterns, std::string_view schema,
               std::string_view table, std::string_view name);

}  // namespace headgate::database
