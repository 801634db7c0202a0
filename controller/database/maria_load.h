// What a look reads of a MariaDB server's load: the statements, and their answers as values. Pure;
// any thread. A failed or unreadable answer is a Status, never a value that looks healthy; what a
// missing right hides is said.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/load.h"
#include "controller/database/statement.h"

namespace headgate::database {

// Counters, which anybody may read; then transactions and lock waits, which need PROCESS.
inline constexpr std::size_t kMariaLoadStatements = 2;
std::vector<Statement> MariaLoadStatements();
absl::StatusOr<LoadObservation> ReadMariaLoad(const absl::StatusOr<Rows>& counters,
                                              const absl::StatusOr<Rows>& transactions);

// How many threads work for a client this moment, ours and those that feed replicas left out.
Statement MariaActiveStatement();
std::optional<std::int64_t> ReadMariaActive(const absl::StatusOr<Rows>& answer);

}  // namespace headgate::database
