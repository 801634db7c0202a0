// What the judges of all engines say alike: a server that does not answer or is not fed any more,
// and how late a replica is. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "controller/database/inventory.h"

namespace headgate::database {

Finding FindingOf(Severity severity, const char* kind, const std::string& server, std::string text,
                  bool drains = false);

// Of a server that did not answer. `address`: its connection string, fit to be shown.
Finding JudgeSilenceOf(const std::string& server, const std::string& address,
                       const absl::Status& status);
// Of a replica that does not answer, once the primary says so.
Finding JudgeUnfedReplica(const std::string& replica);
// nullopt: within its bounds.
std::optional<Finding> JudgeLagOf(const std::string& server, Duration lag,
                                  const Inventory& inventory);
std::optional<Finding> JudgeBytesBehind(const std::string& server, std::uint64_t bytes,
                                        const Inventory& inventory);

}  // namespace headgate::database
