#include "common/systemd/credential.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace headgate::systemd {

std::string CredentialOr(const std::string& path) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || path.empty()) return path;
  const auto own = std::filesystem::path(folder) / std::filesystem::path(path).filename();
  std::error_code error;
  return std::filesystem::is_regular_file(own, error) ? own.string() : path;
}

}  // namespace headgate::systemd
