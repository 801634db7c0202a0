#include "agents/haproxy/cookie_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "agents/core/cookie.h"
#include "agents/core/files.h"

namespace headgate::haproxy {
namespace {

using Entries = std::map<std::string, std::string>;

Entries EntriesOf(const CookieKeys& keys) {
  Entries entries;
  std::istringstream lines(agent::CookieKeysText(keys));
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t space = line.find(' ');
    if (line.front() != '#') entries[line.substr(0, space)] = line.substr(space + 1);
  }
  return entries;
}

}  // namespace

absl::StatusOr<CookieKeys> ParseCookieMap(const std::string& answer) {
  if (answer.find("Unknown map") != std::string::npos) {
    return absl::NotFoundError(
        "HAProxy does not verify the gate's cookie, so that people can make up one that is "
        "admitted: print the snippet again and paste it");
  }
  // "0x55b358fec2c0 k7 SECRET": the address goes.
  std::string text;
  std::istringstream lines(answer);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t space = line.find(' ');
    if (space != std::string::npos) text += line.substr(space + 1) + "\n";
  }
  return agent::ParseCookieKeys(text);
}

CookieMap::CookieMap(std::string path, std::string known_table, const StatsSocket& socket)
    : path_(std::move(path)), known_table_(std::move(known_table)), socket_(socket) {}

std::string CookieMap::ShowCommand() const { return "show map " + path_; }

CookieKeys CookieMap::InFile() const { return agent::ReadCookieKeys(path_).value_or(CookieKeys{}); }

CookieKeys CookieMap::Agreed(const CookieKeys& memory) const {
  return InFile() == memory ? memory : CookieKeys{};
}

absl::Status CookieMap::MendFile() const {
  const absl::StatusOr<std::string> text = agent::ReadSmallFile(path_);
  const absl::StatusOr<CookieKeys> file =
      text.ok() ? agent::ParseCookieKeys(*text) : absl::StatusOr<CookieKeys>(text.status());
  if (file.ok() && !file->empty()) return absl::OkStatus();
  const absl::StatusOr<CookieKeys> memory = ReadMemory();
  if (memory.ok() && !memory->empty()) return agent::WriteCookieKeys(path_, *memory);
  const bool is_lost = absl::IsNotFound(file.status()) || memory.ok();
  return file.ok() || !is_lost ? absl::OkStatus() : agent::WriteCookieKeys(path_, {});
}

absl::Status CookieMap::Put(const CookieKeys& keys) const {
  if (absl::Status written = agent::WriteCookieKeys(path_, keys); !written.ok()) return written;
  const absl::StatusOr<CookieKeys> memory = ReadMemory();
  if (absl::IsNotFound(memory.status()) || absl::IsUnavailable(memory.status())) {
    return memory.status();
  }
  const Entries wanted = EntriesOf(keys);
  const Entries present = memory.ok() ? EntriesOf(*memory) : Entries();
  // A new key is there before it signs, and an old one goes when it does not sign any more.
  std::vector<std::string> commands;
  const auto set = [&](const std::string& entry, const std::string& value) {
    const auto found = present.find(entry);
    if (found != present.end() && found->second == value) return;
    const char* verb = found == present.end() ? "add" : "set";
    commands.push_back(fmt::format("{} map {} {} {}", verb, path_, entry, value));
  };
  for (const auto& [entry, value] : wanted) {
    if (entry != agent::kIssueEntry) set(entry, value);
  }
  set(agent::kIssueEntry, std::to_string(keys.issuing));
  for (const auto& [entry, value] : present) {
    if (!wanted.contains(entry)) commands.push_back(fmt::format("del map {} {}", path_, entry));
  }
  // What the old keys have verified is verified again. A snippet of before has no such table.
  if (!commands.empty()) commands.push_back("clear table " + known_table_);
  if (const auto answer = socket_.Ask(commands); !answer.ok()) return answer.status();
  const absl::StatusOr<CookieKeys> after = ReadMemory();
  if (!after.ok()) return after.status();
  if (*after == keys) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("HAProxy did not take the cookie keys into its map {}", path_));
}

absl::StatusOr<CookieKeys> CookieMap::ReadMemory() const {
  const absl::StatusOr<std::string> answer = socket_.Ask({ShowCommand()});
  if (!answer.ok()) return answer.status();
  return ParseCookieMap(*answer);
}

}  // namespace headgate::haproxy
