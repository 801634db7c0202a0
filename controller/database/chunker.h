// How much of a table is asked for at once, and how long the servers rest afterwards. Pure: time is
// a parameter. One thread owns each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace headgate::database {

using Microseconds = std::chrono::microseconds;

// The values of a key's columns, as the server writes them.
using Key = std::vector<std::string>;

// Rows whose key lies behind `after`, up to and with `until`; without them: from the first, to the
// last.
struct KeyRange {
  std::optional<Key> after{};
  std::optional<Key> until{};
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// Rows of a chunk: as many as the primary reads in about half of what one statement may take. What
// follows one slow statement is half the size, so that a cold cache costs one of them.
class ChunkSize {
 public:
  static constexpr std::size_t kRowsMin = 200;
  static constexpr std::size_t kRowsFirst = 2'000;
  static constexpr std::size_t kRowsMax = 20'000;
  // No statement should take longer on the primary.
  static constexpr Microseconds kStatementMax{50'000};

  std::size_t rows() const { return rows_; }
  // `rows` were read by a statement that took the primary `busy`.
  void Took(std::size_t rows, Microseconds busy);

 private:
  std::size_t rows_ = kRowsFirst;
};

// Keeps the work on the busiest server to a share of one core's time.
class Throttle {
 public:
  // More is never owed: a server that hung is no reason to rest for minutes.
  static constexpr Microseconds kRestMax{5'000'000};

  // 1 to 100 %.
  explicit Throttle(std::uint32_t cpu_share_percent) : percent_(cpu_share_percent) {}

  // The rest after a piece of work that kept the busiest server for `busy`. What is below a
  // millisecond is kept for the next rest.
  Duration RestAfter(Microseconds busy);

 private:
  const std::uint32_t percent_;
  Microseconds owed_{0};
};

}  // namespace headgate::database
