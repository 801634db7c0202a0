// The changes of verdicts on disk, one JSON object a line, so that "since when" outlives a restart.
// One thread at a time. Promises: the file is bounded; a line that is cut or damaged is skipped and
// costs no other; what cannot be written is told, and stops nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controller/watch/history.h"

namespace headgate::watch {

class HistoryFile {
 public:
  // With so many lines it is written anew with the newest History::kChangesMax.
  static constexpr std::size_t kLinesMax = 2 * History::kChangesMax;

  explicit HistoryFile(std::string path) : path_(std::move(path)) {}

  // Oldest first. NOT_FOUND without a file; `skipped`, if given, counts damaged lines.
  absl::StatusOr<std::vector<Change>> Read(std::size_t* skipped = nullptr);
  absl::Status Append(const std::vector<Change>& changes);

 private:
  absl::Status Shorten();

  const std::string path_;
  std::size_t lines_ = 0;
  // The file may end in the middle of a line.
  bool needs_line_end_ = true;
};

}  // namespace headgate::watch
