// Which servers `dbcheck` was asked about. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "controller/database/data_rounds.h"
#include "controller/database/inventory.h"
#include "controller/database/schema.h"
#include "controller/engine/plan.h"

namespace headgate::cli {

struct DeclaredDatabase {
  // "postgres" or "mariadb".
  std::string engine;
  database::Inventory inventory;
  // How the plan compares its rows, if it does.
  std::optional<database::RollingOptions> data{};
  // What the plan expects its primary to be, if anything.
  std::optional<database::Schema> baseline{};
  // The command line does not say how its replicas replicate: they are asked.
  bool asks_kind = false;
};

// INVALID_ARGUMENT says what is wrong, and repeats no connection string.
absl::StatusOr<std::vector<DeclaredDatabase>> DatabasesOf(const engine::PlanSpec& plan,
                                                          const std::string& only);
absl::StatusOr<DeclaredDatabase> DatabaseOf(const DbcheckFlags& flags);

// "db2=host=10.0.0.2 dbname=shop" -> name and connection string; the name is empty where the first
// word is an option of the connection itself.
std::pair<std::string, std::string> SplitReplica(const std::string& text, database::Engine engine);

}  // namespace headgate::cli
