// What HAProxy's stats socket says, as values. Pure: any thread. Everything comes from outside and
// may be garbage: INVALID_ARGUMENT says what was expected.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::haproxy {

struct ProcessInfo {
  std::uint64_t pid = 0;
  std::uint64_t uptime_s = 0;
  // "2.6.12".
  std::string version;
};
absl::StatusOr<ProcessInfo> ParseInfo(const std::string& answer);

// Of `get map`: unset if there is no such entry. NOT_FOUND: no such map.
absl::StatusOr<std::optional<std::int64_t>> ParseMapEntry(const std::string& answer);

// The BACKEND row of `show stat NAME 2 -1`. NOT_FOUND: no such backend.
struct BackendRow {
  // HAProxy's own (`iid`), until its next start or reload.
  std::uint64_t number = 0;
  // Requests under way.
  std::uint64_t in_flight = 0;
  std::uint64_t requests = 0;
  std::uint64_t http_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t retries = 0;
};
absl::StatusOr<BackendRow> ParseBackend(const std::string& name, const std::string& answer);

// The general purpose counters of the only entry of a stick table, in order; empty while there is
// no entry. NOT_FOUND: no such table.
absl::StatusOr<std::vector<std::uint64_t>> ParseCounts(const std::string& name,
                                                       const std::string& answer);

}  // namespace headgate::haproxy
