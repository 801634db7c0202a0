// How much load and backlog of a database is too much: the defaults, and what a plan may set
// instead. Values only. None of them drains: what is beyond a bound retreats, or holds.
#pragma once

#include <cstdint>

#include "common/base/clock.h"

namespace headgate::database {

// DEGRADED above the first, FAILED above the second, which is larger.
struct SoftHard {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  friend bool operator==(const SoftHard&, const SoftHard&) = default;
};

struct Bounds {
  // Of the primary's log that a replica has still to replay.
  SoftHard bytes_behind{.soft = 16ULL << 20U, .hard = 256ULL << 20U};
  // Of the connections that ordinary roles may have, in ppm.
  SoftHard connections_ppm{.soft = 800'000, .hard = 950'000};
  // Of the transactions of the last minute, in ppm; with fewer than the sample nothing is said.
  SoftHard rollbacks_ppm{.soft = 20'000, .hard = 100'000};
  std::uint64_t rollbacks_sample = 200;
  // DEGRADED above.
  std::uint64_t deadlocks_per_minute = 5;
  Duration longest_transaction{60'000};
  Duration lock_wait{10'000};
  // Below it is told, and judged by nobody: a cache is cold after a restart.
  std::uint64_t cache_hits_ppm = 980'000;
  friend bool operator==(const Bounds&, const Bounds&) = default;
};

}  // namespace headgate::database
