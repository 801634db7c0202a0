// From the protobuf schema to the engine's value. Pure, callable from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "controller/engine/field_errors.h"
#include "controller/engine/plan.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {

// Fills in every default that plan.proto documents and sets spec().source. INVALID_ARGUMENT as
// engine::Plan::Create's: all that is wrong, one line each, with kFieldPathPayload.
absl::StatusOr<engine::Plan> ToEngine(const v1::Plan& plan);

// One entry of `databases`, wherever it is declared; `path` is its own. The rules are
// engine::RefuseBadDatabases.
engine::DatabaseSpec ToDatabase(const v1::Database& from, const std::string& path,
                                engine::FieldErrors& errors);

// The plan that ToEngine was given, from spec().source. DATA_LOSS where it is not one.
absl::StatusOr<v1::Plan> FromSource(const std::string& source);

}  // namespace headgate::plan
