#include "controller/database/whole_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>

namespace headgate::database {

absl::Status WriteWholeFile(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".new";
  errno = 0;
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file.good() && std::rename(unfinished.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("{} cannot be written: {}", path, std::generic_category().message(errno)));
}

}  // namespace headgate::database
