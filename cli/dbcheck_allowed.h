// What findings come to: whether the replicas are the same, and which differences are known. Pure;
// any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/database/inventory.h"

namespace headgate::cli {

enum class Sameness { kSame, kDifferent, kUnknown };

// DIFFERENT once a difference is proven; UNKNOWN where something kept us from comparing, or where
// replication is broken, so that what is the same now says little.
Sameness JudgeSameness(const std::vector<database::Finding>& findings);
// Of one finding; kSame: it is only a warning.
Sameness JudgeFinding(const database::Finding& finding);

// Whether a pattern fits the finding's text from behind "replica db3: " on; * is anything, and the
// text may go on behind the pattern.
bool IsAllowed(const database::Finding& finding, const std::vector<std::string>& patterns);
bool FitsPattern(std::string_view text, std::string_view pattern);

}  // namespace headgate::cli
