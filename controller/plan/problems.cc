#include "controller/plan/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"

namespace headgate::plan {
namespace {

constexpr std::size_t kFileNameBytesMax = 255;
constexpr char kAllLinesPayload[] = "headgate/all-lines";

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

std::string Problems::LineOf(const Problem& problem) const {
  if (problem.at.line == 0) return fmt::format("{}: {}", file_name_, problem.text);
  return fmt::format("{}:{}:{}: {}", file_name_, problem.at.line, problem.at.column, problem.text);
}

absl::Status Problems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.at < b.at; });
  std::string message;
  std::string all;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i == kProblemsMax) message = all;
    all += (i == 0 ? "" : "\n") + LineOf(sorted[i]);
  }
  if (sorted.size() <= kProblemsMax) return absl::InvalidArgumentError(all);
  const std::size_t left = sorted.size() - kProblemsMax;
  message += fmt::format("\n{}: and {} more error{}", file_name_, left, left == 1 ? "" : "s");
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kAllLinesPayload, absl::Cord(all));
  return status;
}

std::string Problems::AllLines(const absl::Status& status) {
  const auto all = status.GetPayload(kAllLinesPayload);
  return all ? std::string(*all) : std::string(status.message());
}

}  // namespace headgate::plan
