#include "agents/endpoint/readable.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>

#include <filesystem>

namespace headgate::endpoint {
namespace {

bool May(const struct stat& found, mode_t of_others, const std::string& group) {
  if ((found.st_mode & of_others) != 0) return true;
  const mode_t of_group = of_others << 3;
  if (group.empty() || (found.st_mode & of_group) == 0) return false;
  const ::group* const load_balancers = getgrnam(group.c_str());
  return load_balancers != nullptr && load_balancers->gr_gid == found.st_gid;
}

}  // namespace

void LetItBeRead(const std::string& path, const std::string& group) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return;
  if (May(found, S_IROTH, group)) return;
  // Of a file that is not the agent's own `check` tells.
  if (chmod(path.c_str(), (found.st_mode & 07777) | S_IROTH | S_IRGRP) != 0) return;
}

std::string WhyUnreadable(const std::string& path, const std::string& group) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return "";
  constexpr char kWithout[] = "without the agent Envoy would admit nobody";
  if (!May(found, S_IROTH, group)) {
    return fmt::format(
        "{}: Envoy's user cannot read it, and {}: `chmod 644 {}`, it holds no secret", path,
        kWithout, path);
  }
  for (std::filesystem::path folder = std::filesystem::path(path).parent_path();
       folder.has_relative_path(); folder = folder.parent_path()) {
    if (stat(folder.c_str(), &found) != 0 || May(found, S_IXOTH, group)) continue;
    return fmt::format("{}: Envoy's user cannot enter it and read {}, and {}: `chmod o+x {}`",
                       folder.string(), path, kWithout, folder.string());
  }
  return "";
}

}  // namespace headgate::endpoint
