#include "controller/database/baseline.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "controller/database/label.h"
#include "controller/database/whole_file.h"

namespace headgate::database {
namespace {

constexpr std::string_view kSeparator = " | ";

std::string FirstLine(const std::string& engine) {
  return fmt::format("# headgate baseline 2, {}: one object a line", engine);
}

// So that a part holds neither a line's end nor a bar.
std::string Escaped(const std::string& part) {
  std::string escaped;
  for (const char letter : part) {
    if (letter == '\n') {
      escaped += "\\n";
      continue;
    }
    if (letter == '\\' || letter == '|') escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

std::string Unescaped(std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '\\' || i + 1 == part.size()) {
      text += part[i];
      continue;
    }
    ++i;
    text += part[i] == 'n' ? '\n' : part[i];
  }
  return text;
}

std::vector<std::string> Split(std::string_view line) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  // A bar that is escaped has a backslash before it, never a blank.
  while (true) {
    const std::size_t to = std::min(line.find(kSeparator, from), line.size());
    parts.push_back(Unescaped(line.substr(from, to - from)));
    if (to == line.size()) return parts;
    from = to + kSeparator.size();
  }
}

}  // namespace

std::string WriteBaseline(const Schema& schema, const std::string& engine) {
  std::string text = FirstLine(engine) + "\n";
  for (const auto& [key, definition] : schema) {
    const std::vector<std::string> parts = {key.schema, key.relation, key.kind, key.name,
                                            definition.text};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) text += kSeparator;
      text += Escaped(parts[i]);
    }
    text += '\n';
  }
  return text;
}

absl::StatusOr<Schema> ReadBaseline(const std::string& text, const std::string& engine) {
  Schema schema;
  std::size_t number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    std::string_view line = std::string_view(text).substr(from, to - from);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    from = to + 1;
    ++number;
    if (number == 1 && line != FirstLine(engine)) {
      return absl::InvalidArgumentError(fmt::format(
          "its first line is not '{}': dbcheck --write-baseline writes one", FirstLine(engine)));
    }
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string> parts = Split(line);
    if (parts.size() != 5) {
      return absl::InvalidArgumentError(
          fmt::format("its line {} has {} parts, not schema | table | kind | name | definition",
                      number, parts.size()));
    }
    schema[{.schema = parts[0], .relation = parts[1], .kind = parts[2], .name = parts[3]}] = {
        .text = parts[4], .uses = ""};
  }
  if (number == 0) return absl::InvalidArgumentError("it is empty");
  return schema;
}

absl::StatusOr<Schema> ReadBaselineFile(const std::string& path, const std::string& engine) {
  const auto text = ReadWholeFile(path, kBaselineBytesMax);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(fmt::format("{}: headgate dbcheck --write-baseline writes one",
                                           std::string(text.status().message())));
  }
  if (!text.ok()) return text.status();
  auto schema = ReadBaseline(*text, engine);
  if (schema.ok()) return schema;
  return absl::InvalidArgumentError(
      fmt::format("{} is no baseline: {}", path, std::string(schema.status().message())));
}

std::vector<Finding> CompareWithBaseline(const Schema& baseline, const Schema& schema,
                                         const std::string& server, std::size_t told_max) {
  const std::string who = server == "primary" ? "the primary" : "replica " + server;
  std::vector<Finding> findings;
  const std::vector<Difference> differences = Compare(baseline, schema);
  for (const Difference& difference : differences) {
    Finding finding{.severity = Severity::kFailed,
                    .drains = false,
                    .kind = "baseline",
                    .server = server,
                    .table = LabelOf(difference.key.schema, difference.key.relation),
                    .text = Describe(who, difference, "in the baseline")};
    if (findings.size() == told_max) {
      finding.table = "";
      finding.text = fmt::format("{}: and {} more differences from the baseline", who,
                                 differences.size() - told_max);
      findings.push_back(std::move(finding));
      break;
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace headgate::database
