#include "agents/endpoint/remembered.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace headgate::endpoint {
namespace {

// "d7b6e5a9c0f3…", and with ".0000000012" behind it while nginx writes it.
bool IsOfCache(const std::string& name) {
  constexpr std::size_t kDigits = 32;
  return name.size() >= kDigits && (name.size() == kDigits || name[kDigits] == '.') &&
         std::all_of(name.begin(), name.begin() + kDigits,
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

absl::Status ForgetAnswers(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(folder, error) && !error) return absl::OkStatus();
  std::error_code first;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!IsOfCache(entry->path().filename())) continue;
    std::error_code removed;
    fs::remove(entry->path(), removed);
    if (removed && !first) first = removed;
  }
  if (!error) error = first;
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "the answers that nginx keeps in {} cannot be removed ({}): were the agent to die now, users "
      "whom the last lowering has taken out could come in. Let the agent's group write there: "
      "`install -d -m 2770 -o www-data -g headgate {}` before nginx starts",
      folder, error.message(), folder));
}

}  // namespace headgate::endpoint
