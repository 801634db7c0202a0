#include "controller/engine/field_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "controller/engine/plan.h"

namespace headgate::engine {
namespace {

constexpr std::size_t kQuotedBytesMax = 60;
// What the message only counts: a line for its path, a line for its text.
constexpr char kLeftOutPayload[] = "headgate/field-errors-left-out";

bool IsPartOf(std::string_view path, std::string_view whole) {
  return path.substr(0, whole.size()) == whole &&
         (path.size() == whole.size() || path[whole.size()] == '.' || path[whole.size()] == '[');
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from <= text.size()) {
    std::size_t to = text.find('\n', from);
    if (to == std::string::npos) to = text.size();
    lines.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return lines;
}

}  // namespace

void FieldErrors::Add(std::string path, std::string text) {
  for (const FieldError& error : errors_) {
    if (!error.path.empty() && IsPartOf(path, error.path)) return;
  }
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  errors_.push_back(FieldError{.path = std::move(path), .text = std::move(text)});
}

absl::Status FieldErrors::ToStatus() const {
  if (errors_.empty()) return absl::OkStatus();
  std::string message;
  std::string paths;
  const std::size_t told = std::min(errors_.size(), kFieldErrorsMax);
  for (std::size_t i = 0; i < told; ++i) {
    const FieldError& error = errors_[i];
    message += i > 0 ? "\n" : "";
    paths += i > 0 ? "\n" : "";
    message += error.path.empty() ? error.text : fmt::format("{}: {}", error.path, error.text);
    paths += error.path;
  }
  std::string left_out;
  for (std::size_t i = told; i < errors_.size(); ++i) {
    left_out += (i > told ? "\n" : "") + errors_[i].path + "\n" + errors_[i].text;
  }
  const std::size_t left = errors_.size() - told;
  if (left > 0) message += fmt::format("\nand {} more error{}", left, left == 1 ? "" : "s");
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kFieldPathPayload, absl::Cord(paths + (left > 0 ? "\n" : "")));
  if (left > 0) status.SetPayload(kLeftOutPayload, absl::Cord(left_out));
  return status;
}

std::vector<FieldError> FieldErrors::From(const absl::Status& status) {
  std::vector<FieldError> errors;
  const std::vector<std::string> lines = Lines(std::string(status.message()));
  std::vector<std::string> paths;
  if (const auto payload = status.GetPayload(kFieldPathPayload)) {
    paths = Lines(std::string(*payload));
  }
  paths.resize(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string prefix = paths[i] + ": ";
    const bool has_prefix = !paths[i].empty() && lines[i].rfind(prefix, 0) == 0;
    errors.push_back(FieldError{.path = paths[i],
                                .text = has_prefix ? lines[i].substr(prefix.size()) : lines[i]});
  }
  const auto payload = status.GetPayload(kLeftOutPayload);
  if (!payload) return errors;
  // Its last line only counts them.
  errors.pop_back();
  const std::vector<std::string> left_out = Lines(std::string(*payload));
  for (std::size_t i = 0; i + 1 < left_out.size(); i += 2) {
    errors.push_back(FieldError{.path = left_out[i], .text = left_out[i + 1]});
  }
  return errors;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text.substr(0, kQuotedBytesMax)) {
    quoted += (c >= 0 && c < ' ') || c == 127 ? ' ' : c;
  }
  // A multi-byte character that was cut in two would not be UTF-8, and protobuf would refuse it.
  if (text.size() > kQuotedBytesMax) {
    while (!quoted.empty() && (static_cast<unsigned char>(quoted.back()) & 0x80U) != 0) {
      quoted.pop_back();
    }
    quoted += "…";
  }
  return quoted + "'";
}

}  // namespace headgate::engine
