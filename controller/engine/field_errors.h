// What is wrong with a plan, field by field: all of it at once, because a person who mends a plan
// in an outage wants to run `validate` once. One thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace headgate::engine {

// More than these are counted, not told.
inline constexpr std::size_t kFieldErrorsMax = 20;

struct FieldError {
  // e.g. "checks[0].limit"; empty for the plan as a whole.
  std::string path;
  // What was refused, the value, the bound, and what to write instead; one line.
  std::string text;
  friend bool operator==(const FieldError&, const FieldError&) = default;
};

class FieldErrors {
 public:
  // An error on a field that has one already, or on a part of it, is a consequence: left out.
  void Add(std::string path, std::string text);
  bool empty() const { return errors_.empty(); }
  const std::vector<FieldError>& errors() const { return errors_; }

  // INVALID_ARGUMENT with one line `path: text` for each error up to kFieldErrorsMax and how many
  // more there are, and kFieldPathPayload with one path for each line. OK if there is none.
  absl::Status ToStatus() const;
  // The inverse, with those that the message leaves out. A status without the payload gives one
  // error without a path.
  static std::vector<FieldError> From(const absl::Status& status);

 private:
  std::vector<FieldError> errors_;
};

// `text` in quotes for a message: cut after 60 bytes, without control characters.
std::string Quoted(std::string_view text);

}  // namespace headgate::engine
