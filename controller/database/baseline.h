// The schema that is expected, as a file that people review and keep beside their migrations: one
// object a line, in order. Pure, but for ReadBaselineFile; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/inventory.h"
#include "controller/database/schema.h"

namespace headgate::database {

// A larger file is refused.
inline constexpr std::size_t kBaselineBytesMax = 64U << 20U;

// `engine`: "postgres" or "mariadb". The same schema gives the same bytes.
std::string WriteBaseline(const Schema& schema, const std::string& engine);
// INVALID_ARGUMENT names the line.
absl::StatusOr<Schema> ReadBaseline(const std::string& text, const std::string& engine);

// What is wrong with the file, or with what is in it, and what to do.
absl::StatusOr<Schema> ReadBaselineFile(const std::string& path, const std::string& engine);

// FAILED each, of kind "baseline"; at most `told_max`, the rest is counted. `server`: "primary" or
// a replica's name.
std::vector<Finding> CompareWithBaseline(const Schema& baseline, const Schema& schema,
                                         const std::string& server, std::size_t told_max);

}  // namespace headgate::database
