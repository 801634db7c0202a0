#include "controller/watch/history_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "common/base/text.h"

namespace headgate::watch {
namespace {

using Json = nlohmann::json;

std::string LineOf(const Change& change) {
  Json line = {{"at_unix_ms", UnixMillis(change.at)},
               {"at", FormatTime(change.at)},
               {"database", change.database},
               {"check", NameOf(change.check)},
               {"to", NameOf(change.to)},
               {"why", ValidUtf8(change.why)}};
  if (change.from) line["from"] = NameOf(*change.from);
  return line.dump() + "\n";
}

std::optional<Check> CheckNamed(const std::string& name) {
  const auto found =
      std::ranges::find_if(kChecks, [&](Check check) { return name == NameOf(check); });
  return found == kChecks.end() ? std::nullopt : std::optional(*found);
}

std::optional<Change> ChangeOf(const std::string& text) {
  const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) return std::nullopt;
  const auto word = [&](const char* key) -> std::string {
    const auto found = line.find(key);
    return found != line.end() && found->is_string() ? found->get<std::string>() : "";
  };
  const auto at = line.find("at_unix_ms");
  const auto check = CheckNamed(word("check"));
  if (at == line.end() || !at->is_number_integer() || !check || word("database").empty() ||
      word("to").empty()) {
    return std::nullopt;
  }
  Change change{.at = FromUnixMillis(at->get<std::int64_t>()),
                .database = word("database"),
                .check = *check,
                .from = std::nullopt,
                .to = VerdictOf(word("to")),
                .why = word("why")};
  if (!word("from").empty()) change.from = VerdictOf(word("from"));
  return change;
}

absl::Status Trouble(const std::string& path, const char* what) {
  return absl::UnavailableError(
      fmt::format("{} cannot be {}: {}", path, what, std::generic_category().message(errno)));
}

}  // namespace

absl::StatusOr<std::vector<Change>> HistoryFile::Read(std::size_t* skipped) {
  std::ifstream file(path_, std::ios::binary);
  if (!file.is_open()) {
    if (errno != ENOENT) return Trouble(path_, "read");
    needs_line_end_ = false;
    return absl::NotFoundError(path_ + " does not exist yet");
  }
  std::vector<Change> changes;
  lines_ = 0;
  needs_line_end_ = false;
  for (std::string line; std::getline(file, line); ++lines_) {
    needs_line_end_ = file.eof();
    if (line.empty()) continue;
    if (auto change = ChangeOf(line)) {
      changes.push_back(*std::move(change));
    } else if (skipped != nullptr) {
      ++*skipped;
    }
  }
  return changes;
}

absl::Status HistoryFile::Append(const std::vector<Change>& changes) {
  if (changes.empty()) return absl::OkStatus();
  if (lines_ + changes.size() > kLinesMax) {
    if (absl::Status status = Shorten(); !status.ok()) return status;
  }
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  if (!file.is_open()) return Trouble(path_, "written");
  if (needs_line_end_) file << '\n';
  for (const Change& change : changes) file << LineOf(change);
  file.flush();
  if (!file.good()) {
    needs_line_end_ = true;
    return Trouble(path_, "written");
  }
  needs_line_end_ = false;
  lines_ += changes.size();
  return absl::OkStatus();
}

absl::Status HistoryFile::Shorten() {
  auto changes = Read();
  if (!changes.ok()) return changes.status();
  const std::size_t kept = std::min(changes->size(), History::kChangesMax);
  const std::string next = path_ + ".new";
  {
    std::ofstream file(next, std::ios::binary | std::ios::trunc);
    for (auto change = changes->end() - static_cast<std::ptrdiff_t>(kept); change != changes->end();
         ++change) {
      file << LineOf(*change);
    }
    file.flush();
    if (!file.good()) return Trouble(next, "written");
  }
  std::error_code error;
  std::filesystem::rename(next, path_, error);
  if (error) return absl::UnavailableError(fmt::format("{}: {}", path_, error.message()));
  lines_ = kept;
  needs_line_end_ = false;
  return absl::OkStatus();
}

}  // namespace headgate::watch
