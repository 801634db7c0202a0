#include "agents/haproxy/answers.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>
#include <string_view>

namespace headgate::haproxy {
namespace {

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::vector<std::string> SplitCsv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  return fields;
}

std::string Shortened(const std::string& answer) {
  constexpr std::size_t kShown = 60;
  return answer.size() <= kShown ? answer : answer.substr(0, kShown) + "…";
}

absl::Status Unexpected(const char* what, const std::string& answer) {
  return absl::InvalidArgumentError(
      fmt::format("HAProxy's answer to {} cannot be read: '{}'", what, Shortened(answer)));
}

// The text behind `name`, up to the first of `ends`.
std::optional<std::string> Behind(const std::string& text, const std::string& name,
                                  const char* ends = " \n") {
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t from = at + name.size();
  const std::size_t to = text.find_first_of(ends, from);
  return text.substr(from, to == std::string::npos ? to : to - from);
}

}  // namespace

absl::StatusOr<ProcessInfo> ParseInfo(const std::string& answer) {
  const auto pid = ParseNumber<std::uint64_t>(Behind(answer, "\nPid: ").value_or(""));
  const auto uptime = ParseNumber<std::uint64_t>(Behind(answer, "\nUptime_sec: ").value_or(""));
  const std::string version = Behind(answer, "\nVersion: ").value_or("");
  if (!pid || !uptime) return Unexpected("show info", answer);
  return ProcessInfo{*pid, *uptime, version.substr(0, version.find('-'))};
}

absl::StatusOr<std::optional<std::int64_t>> ParseMapEntry(const std::string& answer) {
  if (answer.find("Unknown map identifier") != std::string::npos) {
    return absl::NotFoundError("HAProxy has loaded no such map");
  }
  if (answer.find("found=no") != std::string::npos) return std::optional<std::int64_t>();
  const auto text = Behind(answer, "value=\"", "\"");
  if (answer.find("found=yes") == std::string::npos || !text) return Unexpected("get map", answer);
  const auto value = ParseNumber<std::int64_t>(*text);
  if (!value) return Unexpected("get map", answer);
  return value;
}

absl::StatusOr<BackendRow> ParseBackend(const std::string& name, const std::string& answer) {
  if (answer.find("No such proxy") != std::string::npos) {
    return absl::NotFoundError(fmt::format("HAProxy has no backend '{}'", name));
  }
  std::istringstream lines(answer);
  std::string header;
  std::string line;
  if (!std::getline(lines, header) || header.rfind("# ", 0) != 0) {
    return Unexpected("show stat", answer);
  }
  const std::vector<std::string> names = SplitCsv(header.substr(2));
  while (std::getline(lines, line)) {
    const std::vector<std::string> fields = SplitCsv(line);
    if (fields.size() < 2 || fields[0] != name || fields[1] != "BACKEND") continue;
    std::map<std::string, std::uint64_t> values;
    for (std::size_t i = 0; i < names.size() && i < fields.size(); ++i) {
      if (const auto number = ParseNumber<std::uint64_t>(fields[i])) values[names[i]] = *number;
    }
    if (values.count("req_tot") == 0 || values.count("hrsp_5xx") == 0) {
      return absl::InvalidArgumentError(
          fmt::format("backend '{}' counts no requests: is it in mode http?", name));
    }
    return BackendRow{values["iid"],      values["scur"], values["req_tot"],
                      values["hrsp_5xx"], values["econ"], values["wretr"]};
  }
  return absl::NotFoundError(fmt::format("HAProxy has no backend '{}'", name));
}

absl::StatusOr<std::vector<std::uint64_t>> ParseCounts(const std::string& name,
                                                       const std::string& answer) {
  if (answer.find("No such table") != std::string::npos) {
    return absl::NotFoundError(fmt::format("HAProxy has no stick table '{}'", name));
  }
  if (answer.rfind("# table: ", 0) != 0) return Unexpected("show table", answer);
  std::vector<std::uint64_t> counts;
  for (int i = 0;; ++i) {
    const auto text = Behind(answer, fmt::format(" gpc{}=", i));
    if (!text) return counts;
    const auto count = ParseNumber<std::uint64_t>(*text);
    if (!count) return Unexpected("show table", answer);
    counts.push_back(*count);
  }
}

}  // namespace headgate::haproxy
