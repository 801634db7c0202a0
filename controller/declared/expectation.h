// What a baseline beside a plan comes to: the expectation that stands in the plan, and all of it.
// Reads that file; any thread.
#pragma once

#include <cstddef>
#include <filesystem>

#include "absl/status/statusor.h"
#include "controller/database/schema.h"
#include "controller/engine/plan.h"

namespace headgate::declared {

struct Expectation {
  engine::ExpectedSchema expected;
  database::Schema schema;
};

// What its tables take of a plan's kExpectedBytesMax.
std::size_t BytesOf(const engine::ExpectedSchema& expected);

// Of `spec.expect->file`, a path from `folder`. Without the numbers of tables where they would take
// more than `bytes_max`. The status says what is wrong with the file, and what to do.
absl::StatusOr<Expectation> ReadExpectation(const std::filesystem::path& folder,
                                            const engine::DatabaseSpec& spec,
                                            std::size_t bytes_max);

}  // namespace headgate::declared
