// What a running agent says of itself on its metrics' listener, for the commands on the box. Any
// thread; returns within kPagesMax.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate::agent {

inline constexpr Duration kPagesMax{1000};

struct AgentPages {
  bool is_connected = false;
  // Of gates whose directive has not been renewed in time: since how long.
  std::map<std::string, std::chrono::seconds> overdue;
};

// Of an exposition. INVALID_ARGUMENT: it is of another program.
absl::StatusOr<AgentPages> ParsePages(const std::string& exposition);

// `address`: as in `metrics:`. FAILED_PRECONDITION: the configuration names none; UNAVAILABLE: it
// does not answer.
absl::StatusOr<AgentPages> AskPages(const std::string& address);

}  // namespace headgate::agent
