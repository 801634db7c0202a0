#include "controller/plan/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headgate::plan {
namespace {

constexpr std::size_t kFileNameBytesMax = 255;

// A file's name comes from the caller: it must not forge a line of the answer.
std::string Printable(std::string_view name) {
  std::string printable;
  for (const char c : name.substr(0, kFileNameBytesMax)) {
    printable += (c >= 0 && c < ' ') || c == 127 ? '?' : c;
  }
  return printable.empty() ? "plan" : printable;
}

}  // namespace

Position Positions::Find(std::string path) const {
  while (true) {
    const auto found = positions_.find(path);
    if (found != positions_.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) break;
    path.resize(cut);
  }
  const auto root = positions_.find("");
  return root == positions_.end() ? Position{} : root->second;
}

Problems::Problems(std::string_view file_name) : file_name_(Printable(file_name)) {}

void Problems::Add(Position at, std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  problems_.push_back(Problem{.at = at, .text = std::move(text)});
}

absl::Status Problems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.at < b.at; });
  std::string message;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0) message += '\n';
    if (i == kProblemsMax) {
      message += fmt::format("{}: and {} more", file_name_, sorted.size() - i);
      break;
    }
    const Problem& problem = sorted[i];
    message += problem.at.line == 0 ? fmt::format("{}: {}", file_name_, problem.text)
                                    : fmt::format("{}:{}:{}: {}", file_name_, problem.at.line,
                                                  problem.at.column, problem.text);
  }
  return absl::InvalidArgumentError(message);
}

}  // namespace headgate::plan
