#include "controller/database/maria_dsn.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>

#include "common/base/connection_string.h"

namespace headgate::database {
namespace {

// What an option file calls what a connection string calls otherwise.
const std::map<std::string, std::string>& OptionNames() {
  static const std::map<std::string, std::string> names = {{"host", "host"},
                                                           {"port", "port"},
                                                           {"socket", "socket"},
                                                           {"user", "user"},
                                                           {"password", "password"},
                                                           {"database", "dbname"},
                                                           {"ssl-ca", "ssl_ca"},
                                                           {"ssl-capath", "ssl_capath"},
                                                           {"ssl-cert", "ssl_cert"},
                                                           {"ssl-key", "ssl_key"},
                                                           {"ssl-cipher", "ssl_cipher"},
                                                           {"tls-version", "tls_version"}};
  return names;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t from = text.find_first_not_of(kSpaces);
  if (from == std::string_view::npos) return "";
  return text.substr(from, text.find_last_not_of(kSpaces) - from + 1);
}

// As MariaDB's own programs read a value: in quotes of either kind or without, with a few escapes;
// without quotes it ends at a #.
std::string ToValue(std::string_view text) {
  const bool is_quoted =
      text.size() >= 2 && (text[0] == '\'' || text[0] == '"') && text.back() == text[0];
  if (is_quoted) {
    text = text.substr(1, text.size() - 2);
  } else {
    text = Trimmed(text.substr(0, text.find('#')));
  }
  constexpr std::string_view kEscaped = "nrtbs";
  constexpr std::string_view kMeant = "\n\r\t\b ";
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i];
      continue;
    }
    const char letter = text[++i];
    const std::size_t known = kEscaped.find(letter);
    if (known != std::string_view::npos) {
      value += kMeant[known];
    } else {
      if (letter != '\\' && letter != '"' && letter != '\'') value += '\\';
      value += letter;
    }
  }
  return value;
}

// The group's options, by the connection string's keywords. Others, and `!include`, are passed
// over: a file that MariaDB's programs share has many.
DsnOptions ParseOptionFile(const std::string& text, const std::string& group) {
  DsnOptions options;
  std::istringstream lines(text);
  bool is_ours = false;
  for (std::string raw; std::getline(lines, raw);) {
    const std::string_view line = Trimmed(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';' || line[0] == '!') continue;
    if (line[0] == '[') {
      is_ours = line == fmt::format("[{}]", group);
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!is_ours || equals == std::string_view::npos) continue;
    std::string name(Trimmed(line.substr(0, equals)));
    std::replace(name.begin(), name.end(), '_', '-');
    const auto known = OptionNames().find(name);
    if (known != OptionNames().end()) {
      options[known->second] = ToValue(Trimmed(line.substr(equals + 1)));
    }
  }
  return options;
}

absl::StatusOr<std::string> ReadOptionFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kOptionFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return absl::InvalidArgumentError(fmt::format("the option file {} cannot be read", path));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() <= kOptionFileBytesMax) return text;
  return absl::InvalidArgumentError(
      fmt::format("the option file {} is larger than {} bytes", path, kOptionFileBytesMax));
}

DsnOptions OptionsIn(const std::string& dsn) {
  DsnOptions options;
  const auto pairs = SplitConnectionString(dsn);
  if (pairs.has_value()) options.insert(pairs->begin(), pairs->end());
  return options;
}

}  // namespace

absl::StatusOr<DsnOptions> ReadMariaDsn(const std::string& dsn) {
  if (const auto problem = FindMariaDsnProblem(dsn); problem.has_value()) {
    return absl::InvalidArgumentError(*problem);
  }
  DsnOptions options = OptionsIn(dsn);
  if (const auto path = options.find("option_file"); path != options.end()) {
    const absl::StatusOr<std::string> text = ReadOptionFile(path->second);
    if (!text.ok()) return text.status();
    const auto group = options.find("option_group");
    DsnOptions of_file = ParseOptionFile(*text, group == options.end() ? "client" : group->second);
    if (options.contains("host") || options.contains("socket")) {
      of_file.erase("host");
      of_file.erase("socket");
    }
    // What is there already stays.
    options.merge(of_file);
  }
  if (const auto port = options.find("port"); port != options.end() && !IsPort(port->second)) {
    return absl::InvalidArgumentError("the option file's port is not a number from 1 to 65535");
  }
  if (!options.contains("host") && !options.contains("socket")) {
    return absl::InvalidArgumentError("the option file names neither a host nor a socket");
  }
  return options;
}

std::string FormatMariaDsnForPeople(const std::string& dsn) {
  if (FindMariaDsnProblem(dsn).has_value()) return "(not a connection string)";
  const DsnOptions options = OptionsIn(dsn);
  const auto value = [&](const char* key, const std::string& otherwise) {
    const auto found = options.find(key);
    return found == options.end() || found->second.empty() ? otherwise : found->second;
  };
  std::string text = value("dbname", "");
  if (!text.empty()) text += ' ';
  if (options.contains("socket")) {
    text += fmt::format("at {}", value("socket", ""));
  } else if (options.contains("host")) {
    text += fmt::format("at {}:{}", value("host", ""), value("port", "3306"));
  } else {
    text += fmt::format("of {}", value("option_file", ""));
  }
  if (options.contains("user")) text += fmt::format(" as {}", value("user", ""));
  return ScrubServerText(std::move(text), options);
}

}  // namespace headgate::database
