#include "common/base/connection_string.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace headgate {
namespace {

constexpr std::size_t kMariaDsnBytesMax = 1024;
constexpr std::array<std::string_view, 14> kMariaKeywords = {
    "host",   "port",       "socket",   "user",    "dbname",     "option_file", "option_group",
    "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_cipher", "tls_version", "ssl_verify_name"};

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// The value that begins at `i`, which is moved behind it; nullopt: a quote is not closed.
std::optional<std::string> TakeValue(std::string_view text, std::size_t& i) {
  std::string value;
  const bool is_quoted = i < text.size() && text[i] == '\'';
  if (is_quoted) ++i;
  for (; i < text.size(); ++i) {
    if (is_quoted ? text[i] == '\'' : IsSpace(text[i])) break;
    if (text[i] == '\\' && ++i == text.size()) break;
    value += text[i];
  }
  if (!is_quoted) return value;
  if (i >= text.size()) return std::nullopt;
  ++i;
  return value;
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> SplitConnectionString(
    std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::size_t i = 0;
  const auto skip_spaces = [&] {
    while (i < text.size() && IsSpace(text[i])) ++i;
  };
  while (true) {
    skip_spaces();
    if (i == text.size()) return pairs;
    const std::size_t keyword_from = i;
    while (i < text.size() && text[i] != '=' && !IsSpace(text[i])) ++i;
    std::string keyword(text.substr(keyword_from, i - keyword_from));
    skip_spaces();
    if (keyword.empty() || i == text.size() || text[i] != '=') return std::nullopt;
    ++i;
    skip_spaces();
    std::optional<std::string> value = TakeValue(text, i);
    if (!value.has_value()) return std::nullopt;
    pairs.emplace_back(std::move(keyword), *std::move(value));
  }
}

bool IsPort(const std::string& text) {
  const bool is_number =
      !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) {
        return std::isdigit(static_cast<unsigned char>(c)) != 0;
      });
  return is_number && std::stoi(text) >= 1 && std::stoi(text) <= 65'535;
}

bool IsMariaDsnKeyword(std::string_view word) {
  return word == "password" ||
         std::find(kMariaKeywords.begin(), kMariaKeywords.end(), word) != kMariaKeywords.end();
}

std::optional<std::string> FindMariaDsnProblem(std::string_view dsn) {
  constexpr std::string_view kNotADsn =
      "this is not a connection string for MariaDB: write for example 'host=db1 user=headgate "
      "option_file=/etc/headgate/mariadb.cnf'";
  if (dsn.size() > kMariaDsnBytesMax) {
    return fmt::format("a connection string is at most {} bytes", kMariaDsnBytesMax);
  }
  const auto pairs = SplitConnectionString(dsn);
  if (!pairs.has_value() || pairs->empty()) return std::string(kNotADsn);
  std::set<std::string_view> given;
  for (const auto& [keyword, value] : *pairs) {
    if (keyword == "password") {
      return "a password must not stand in a connection string: write option_file=/path/to/file, "
             "with password=… in its group [client]";
    }
    if (std::find(kMariaKeywords.begin(), kMariaKeywords.end(), keyword) == kMariaKeywords.end()) {
      return fmt::format("{} is no keyword of a connection string for MariaDB: write one of {}",
                         keyword, fmt::join(kMariaKeywords, ", "));
    }
    if (!given.insert(keyword).second) return fmt::format("{} is given twice", keyword);
    if (keyword == "port" && !IsPort(value)) return "port is not a number from 1 to 65535";
    if (keyword == "ssl_verify_name" && value != "yes" && value != "no") {
      return "ssl_verify_name is neither yes nor no";
    }
    if (keyword == "host" && value.find(',') != std::string::npos) {
      return "host names several servers: declare each of them by itself";
    }
  }
  if (given.contains("host") && given.contains("socket")) {
    return "host and socket are two ways to one server: write one of them";
  }
  if (!given.contains("host") && !given.contains("socket") && !given.contains("option_file")) {
    return "there is no server: write host=…, socket=… or an option_file=… that has one of them";
  }
  return std::nullopt;
}

}  // namespace headgate
