#include "controller/database/whole_file.h"

#include <fmt/format.h>

#include <array>
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

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t bytes_max) {
  const auto unreadable = [&](int reason) {
    return absl::UnavailableError(
        fmt::format("{} cannot be read: {}", path, std::generic_category().message(reason)));
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    if (errno == ENOENT) return absl::NotFoundError(fmt::format("{} does not exist", path));
    return unreadable(errno);
  }
  // A folder can be opened, and not read.
  std::string text;
  std::array<char, 1U << 16U> piece{};
  errno = 0;
  do {
    file.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  } while (file.good() && text.size() <= bytes_max);
  if (file.bad()) return unreadable(errno);
  if (text.size() <= bytes_max) return text;
  return absl::InvalidArgumentError(fmt::format("{} is larger than {} bytes", path, bytes_max));
}

}  // namespace headgate::database
