// The shape of a MariaDB server's databases, as its information_schema tells it. Pure; any thread.
// Promises: the order of a table's columns counts (row events map columns by position), as do
// signedness, the labels of an enum in their order, character sets, generated expressions, and what
// partitions take; row formats, comments, AUTO_INCREMENT's next value and definers do not. What one
// is not allowed to see is a failure, never an absence.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/database/schema.h"
#include "controller/database/statement.h"

namespace headgate::database {

// Of these databases; empty: all but the system's.
std::vector<Statement> MariaSchemaStatements(const std::vector<std::string>& schemas);
inline constexpr std::size_t kMariaSchemaStatements = 9;

// PERMISSION_DENIED names the rights that are missing. `answers`: of MariaSchemaStatements, and
// perhaps of more after them.
absl::StatusOr<Schema> ReadMariaSchema(const std::vector<std::string>& schemas,
                                       const Answers& answers);

}  // namespace headgate::database
