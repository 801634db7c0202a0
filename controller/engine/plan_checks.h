// The rules of a plan's checks and databases; Plan::Create's other half. Pure.
#pragma once

#include "controller/engine/field_errors.h"
#include "controller/engine/plan.h"

namespace headgate::engine {

// A PromQL query for one number.
void RefuseBadValueSource(const PrometheusValue& source, const std::string& path,
                          FieldErrors& errors);
void RefuseBadChecks(const PlanSpec& spec, FieldErrors& errors);
void RefuseBadDatabases(const PlanSpec& spec, FieldErrors& errors);

// Adds an error unless min <= value <= max.
void RefuseOutside(Duration value, Duration min, Duration max, const std::string& path,
                   FieldErrors& errors);
// Adds an error where `database` is not declared.
void RefuseUndeclared(const PlanSpec& spec, const std::string& database, const std::string& path,
                      FieldErrors& errors);

}  // namespace headgate::engine
