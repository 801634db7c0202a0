// What is wrong with a plan file, with line and column. Collects all of it, so that one run of
// `validate` tells everything. One thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace headgate::plan {

// More than these are counted, not told: an answer must fit into the trailers of a call.
inline constexpr std::size_t kProblemsMax = 20;

// Both from 1; 0 for the file as a whole.
struct Position {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Where each field of a plan stands in its file, by the path of its YAML names:
// "checks[0].limit", "databases.orders.replicas[1].dsn".
class Positions {
 public:
  void Record(const std::string& path, Position at) { positions_.emplace(path, at); }
  // Of the field, or of the nearest one around it that is written in the file.
  Position Find(std::string path) const;

 private:
  std::map<std::string, Position> positions_;
};

class Problems {
 public:
  explicit Problems(std::string_view file_name);

  void Add(Position at, std::string text);
  bool empty() const { return problems_.empty(); }
  // INVALID_ARGUMENT with one line `file:line:column: text` for each, in the file's order; the
  // first kProblemsMax, and how many more there are.
  absl::Status ToStatus() const;
  // All lines of such a status, uncut; of any other its message.
  static std::string AllLines(const absl::Status& status);

 private:
  struct Problem {
    Position at;
    std::string text;
  };
  std::string LineOf(const Problem& problem) const;

  const std::string file_name_;
  std::vector<Problem> problems_;
};

}  // namespace headgate::plan
