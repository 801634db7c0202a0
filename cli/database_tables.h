// The databases that the controller watches by itself, as text. Pure; any thread.
#pragma once

#include "cli/text.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

// Each database with its checks and findings, then what changed.
Lines DatabaseTable(const v1::ListDatabasesResponse& databases, TimePoint now);

}  // namespace headgate::cli
