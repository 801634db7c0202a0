// What a plan says of a database beyond its servers, and how durations become ours. Pure, callable
// from any thread.
#pragma once

#include <google/protobuf/duration.pb.h>

#include <string>

#include "common/base/clock.h"
#include "controller/engine/field_errors.h"
#include "controller/engine/plan.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {

// What is beyond every documented range stays so, and is refused by the rules.
Duration ToMillis(const google::protobuf::Duration& duration);
// Sets `out`, which holds the default, where the plan says something.
void Set(bool is_set, const google::protobuf::Duration& duration, Duration& out);

// Bounds, allowed differences, the reaction to drift, utilisation.
void SetWatched(const v1::Database& from, const std::string& path, engine::DatabaseSpec& database,
                engine::FieldErrors& errors);

}  // namespace headgate::plan
