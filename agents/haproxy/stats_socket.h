// HAProxy's stats socket: one connection per question, so that a reload can never leave us talking
// to an old worker. One thread. Promises: every call returns within the patience, whatever the
// other end does (hangs, sends garbage, sends without end), and an answer is never longer than the
// limit.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate::haproxy {

class StatsSocket {
 public:
  static constexpr std::size_t kAnswerBytesMax = 1024 * 1024;
  static constexpr Duration kPatience{400};

  explicit StatsSocket(std::string path, Duration patience = kPatience);

  // Sends the commands in one line and returns the whole answer, which is empty both for a success
  // of `set map` and for some failures: read back what matters. UNAVAILABLE: nobody listens;
  // DEADLINE_EXCEEDED: it hangs; OUT_OF_RANGE: it sends without end.
  absl::StatusOr<std::string> Ask(const std::vector<std::string>& commands) const;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const Duration patience_;
};

// The answers of several commands, in order: each ends with an empty line.
std::vector<std::string> SplitAnswers(const std::string& answer);

}  // namespace headgate::haproxy
