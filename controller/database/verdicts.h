// What the judges of all engines say alike: a server that does not answer, and how late a replica
// is. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "controller/database/inventory.h"

namespace headgate::database {

// Of a server that did not answer. `address`: its connection string, fit to be shown.
Finding JudgeSilenceOf(const std::string& server, const std::string& address,
                       const absl::Status& status);
// nullopt: within its bounds.
std::optional<Finding> JudgeLagOf(const std::string& server, Duration lag,
                                  const Inventory& inventory);
std::optional<Finding> JudgeBytesBehind(const std::string& server, std::uint64_t bytes,
                                        const Inventory& inventory);

}  // namespace headgate::database
