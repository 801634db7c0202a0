// How far a comparison of data has come, as a value that can be kept in a file and gone on from:
// text, one fact a line, that people can read. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/chunker.h"
#include "controller/database/inventory.h"
#include "controller/database/row_check.h"

namespace headgate::database {

// Its own bounds keep a state far below this.
inline constexpr std::size_t kStateBytesMax = 64U << 20U;

// Of the table under way and one replica.
struct TableTally {
  std::uint64_t confirmed = 0;
  std::uint64_t told = 0;
  std::uint64_t unsettled = 0;
  std::string why_unsettled;
  // Chunks that differ and were not looked at row by row, and their rows on either side.
  std::uint64_t chunks_left = 0;
  std::uint64_t rows_left_on_primary = 0;
  std::uint64_t rows_left_here = 0;
  friend bool operator==(const TableTally&, const TableTally&) = default;
};

struct ComparisonState {
  // What is compared, "db2 physical shop at db2:5432": another inventory's state is refused.
  std::vector<std::string> servers;
  // Plans, by table and replicas.
  std::set<std::string> done;
  std::string current;
  // All rows of `current` up to this key have been compared.
  std::optional<Key> after;
  std::uint64_t rows_done = 0;
  std::map<std::string, TableTally> tallies;
  // Rows that differed at first sight and have not been looked at again.
  std::map<std::string, std::vector<Key>> suspects;
  std::vector<Finding> findings;
  std::vector<RowDifference> differences;
};

std::string WriteComparisonState(const ComparisonState& state);
// INVALID_ARGUMENT: it is none, or damaged.
absl::StatusOr<ComparisonState> ReadComparisonState(const std::string& text);

}  // namespace headgate::database
