// Connection strings for MariaDB (common/base/connection_string.h), completed from the option file
// that they name: that is where a password comes from. Any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "controller/database/dsn.h"

namespace headgate::database {

// A larger option file is refused.
inline constexpr std::size_t kOptionFileBytesMax = 65'536;

// By the string's keywords, whole: what the option file says of its group `option_group` (or
// "client") and the string does not. Reads that file. INVALID_ARGUMENT repeats neither the string
// nor the file.
absl::StatusOr<DsnOptions> ReadMariaDsn(const std::string& dsn);

// "shop at db1:3306 as headgate". Only host, port, socket, database and user are ever shown. Reads
// no file.
std::string FormatMariaDsnForPeople(const std::string& dsn);

}  // namespace headgate::database
