#include "agents/endpoint/remembered.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace headgate::endpoint {
namespace {

// "d7b6e5a9c0f3…", and with ".0000000012" behind it while nginx writes it.
bool IsOfCache(const std::string& name) {
  constexpr std::size_t kDigits = 32;
  return name.size() >= kDigits && (name.size() == kDigits || name[kDigits] == '.') &&
         std::all_of(name.begin(), name.begin() + kDigits,
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

constexpr std::string_view kTagBegins = "\"in.";

// Of the kept answer's headers, which stand near the beginning of its file.
bool IsAdmissionBelow(const std::string& path, std::uint32_t width) {
  constexpr std::size_t kLookedAt = 4096;
  std::string text(kLookedAt, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  // Under no key stands what holds for everybody.
  if (text.find("\nKEY: \n") != std::string::npos) return false;
  const std::string name = fmt::format("\nETag: {}", kTagBegins);
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return false;
  std::uint32_t bucket = 0;
  const char* const from = text.data() + at + name.size();
  const auto [end, error] = std::from_chars(from, text.data() + text.size(), bucket);
  const bool is_whole = error == std::errc() && end != text.data() + text.size() && *end == '"';
  return is_whole && bucket < width;
}

}  // namespace

std::string AdmissionTag(std::optional<std::uint32_t> bucket) {
  return bucket ? fmt::format("{}{}\"", kTagBegins, *bucket) : "\"in.all\"";
}

absl::Status ForgetAnswers(const std::string& folder, std::uint32_t width) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(folder, error) && !error) {
    return absl::NotFoundError(fmt::format(
        "remembered: {} is not there, though nginx makes it at its start: is it the folder of the "
        "snippet's --remembered? What nginx keeps elsewhere no lowering takes back",
        folder));
  }
  std::error_code first;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!IsOfCache(entry->path().filename())) continue;
    if (IsAdmissionBelow(entry->path(), width)) continue;
    std::error_code removed;
    fs::remove(entry->path(), removed);
    if (removed && !first) first = removed;
  }
  if (!error) error = first;
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "the answers that nginx keeps in {} cannot be removed ({}): were the agent to die now, users "
      "whom the last lowering has taken out could come in. {}",
      folder, error.message(),
      error == std::errc::read_only_file_system
          ? fmt::format("Where the agent is a service of systemd's, give it ReadWritePaths={} in a "
                        "drop-in, as in /usr/share/headgate-agent/nginx.conf",
                        folder)
          : fmt::format("Let the agent's group write there: `install -d -m 2770 -o www-data -g "
                        "headgate {}` before nginx starts",
                        folder)));
}

}  // namespace headgate::endpoint
