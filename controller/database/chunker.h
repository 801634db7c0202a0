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

// Where the key is one integer: how many of a range's numbers there are. While most are, the next
// chunk's end is a matter of counting, and nobody needs to look for it: a range of so many numbers
// has no more rows.
class Density {
 public:
  // `type` as the engine writes it: "bigint", "integer", "int", "smallint".
  explicit Density(const std::string& type);

  // The range had `rows` rows on the primary.
  void Saw(const KeyRange& range, std::uint64_t rows);
  // The key that many numbers further; nullopt: look for it.
  std::optional<Key> Next(const Key& after, std::size_t rows) const;

 private:
  // The largest number of the type; 0: it is no such type.
  std::int64_t max_ = 0;
  bool is_dense_ = false;
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
