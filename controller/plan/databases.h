// The file of databases that are watched in peacetime: the way from bytes to values. Pure,
// callable from any thread; reads no file and never throws.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/engine/plan.h"
#include "controller/plan/expected.h"

namespace headgate::plan {

struct WatchedDatabases {
  std::map<std::string, engine::DatabaseSpec> databases;
  Duration look_every{5'000};
  Duration fingerprint_every{300'000};
};

// Syntax, types and rules. INVALID_ARGUMENT names everything that is wrong, one line
// `file:line:column: what, value, bound, remedy` each, as for a plan.
absl::StatusOr<WatchedDatabases> LoadDatabases(std::string_view bytes, std::string_view file_name,
                                               const ReadExpected& read = {});

}  // namespace headgate::plan
