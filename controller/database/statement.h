// What is asked of a database server and what it answers, whatever its engine. Values only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::database {

// Of a result; NULL is nullopt.
using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

struct Statement {
  // With a place for each parameter, as the engine writes it: $1, $2, … in PostgreSQL; in MariaDB
  // ?, which outside of names in backticks stands for nothing else.
  std::string sql;
  std::vector<std::string> parameters;
  // The first row of the answer holds the columns' names. For MariaDB's SHOW, whose columns depend
  // on the version; PostgreSQL has nothing of the kind, and its sessions take no notice.
  bool with_names = false;
};

// One per statement that was asked, in their order.
using Answers = std::vector<absl::StatusOr<Rows>>;

}  // namespace headgate::database
