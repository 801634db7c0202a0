// Files that are kept between runs. Any thread.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace headgate::database {

// Whole or not at all: beside it first, as `path`.new. UNAVAILABLE: what the system says.
absl::Status WriteWholeFile(const std::string& path, const std::string& text);

}  // namespace headgate::database
