// Files that are kept between runs. Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate::database {

// Whole or not at all: beside it first, as `path`.new. UNAVAILABLE: what the system says.
absl::Status WriteWholeFile(const std::string& path, const std::string& text);

// NOT_FOUND: there is none. INVALID_ARGUMENT: it has more than `bytes_max`. UNAVAILABLE: it cannot
// be read, and what the system says. The message names the file.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t bytes_max);

}  // namespace headgate::database
