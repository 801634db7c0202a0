// What a plan declares of a database, in the words of those who look at databases: of the gate, of
// the watch in peacetime and of `dbcheck` alike. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "controller/database/data_rounds.h"
#include "controller/database/inventory.h"
#include "controller/engine/plan.h"

namespace headgate::declared {

database::Inventory InventoryOf(const std::string& name, const engine::DatabaseSpec& spec);
// How its rows are compared; nullopt: they are not.
std::optional<database::RollingOptions> RollingOf(const engine::DataSpec& spec);

}  // namespace headgate::declared
