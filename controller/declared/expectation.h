// What the baselines beside a plan come to: the expectations that stand in the plan, and all of
// each. Reads those files; one thread.
#pragma once

#include <cstddef>
#include <filesystem>

#include "absl/status/statusor.h"
#include "controller/database/schema.h"
#include "controller/engine/plan.h"
#include "controller/engine/plan_limits.h"

namespace headgate::declared {

struct Expectation {
  engine::ExpectedSchema expected;
  database::Schema schema;
};

// Of one plan: what its databases expect has room for `bytes` in all.
class Expectations {
 public:
  explicit Expectations(std::filesystem::path folder,
                        std::size_t bytes = engine::kExpectedBytesMax);

  // Of `spec.expect->file`, a path from the folder. Without the numbers of tables where they do not
  // fit beside those that were read before. The status says what is wrong with the file, and what
  // to do.
  absl::StatusOr<Expectation> Read(const engine::DatabaseSpec& spec);

 private:
  const std::filesystem::path folder_;
  std::size_t bytes_left_;
};

}  // namespace headgate::declared
