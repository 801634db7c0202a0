// What a plan says of how a database's rows are compared. Pure, callable from any thread.
#pragma once

#include <string>

#include "controller/engine/field_errors.h"
#include "controller/engine/plan.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {

// `path`: the database's.
void SetData(const v1::Database& from, const std::string& path, engine::DatabaseSpec& database,
             engine::FieldErrors& errors);
// Fills in what was left out.
void FillData(const engine::DataSpec& known, v1::Database& database);

}  // namespace headgate::plan
