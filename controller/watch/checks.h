// What of a database is watched, and what a look says of each. Pure; any thread.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "controller/database/inventory.h"

namespace headgate::watch {

enum class Check { kServers, kReplication, kLag, kSchema, kLoad, kData };
inline constexpr std::array kChecks = {Check::kServers, Check::kReplication, Check::kLag,
                                       Check::kSchema,  Check::kLoad,        Check::kData};
// "servers", "replication", …
const char* NameOf(Check check);

enum class Verdict { kHealthy, kDegraded, kUnknown, kFailed };
inline constexpr std::array kVerdicts = {Verdict::kHealthy, Verdict::kDegraded, Verdict::kUnknown,
                                         Verdict::kFailed};
// "HEALTHY", …
const char* NameOf(Verdict verdict);
// UNKNOWN for a word that is none.
Verdict VerdictOf(std::string_view name);

// Of a finding's kind; what no check knows is of the data.
Check CheckOf(std::string_view kind);

struct Standing {
  Verdict verdict = Verdict::kHealthy;
  // The finding that weighs most; empty when HEALTHY.
  std::string why;
};
// The checks that the report says something of: where schemas have not been compared yet, neither
// them nor the data. A server that does not answer leaves UNKNOWN what only it could tell.
std::map<Check, Standing> Weigh(const database::Report& report);

// Every declared server answered, and all that was asked is known.
bool IsComplete(const database::Report& report);

}  // namespace headgate::watch
