// The rules of what a plan says of a database beyond its servers: bounds, allowed differences, how
// its data are compared, its load as the utilisation of the ramp. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "controller/engine/field_errors.h"
#include "controller/engine/plan.h"

namespace headgate::engine {

void RefuseBadBounds(const DatabaseBounds& bounds, const std::string& path, FieldErrors& errors);
void RefuseBadAllow(const std::vector<std::string>& patterns, const std::string& path,
                    FieldErrors& errors);
void RefuseBadData(const DataSpec& data, const std::string& path, FieldErrors& errors);
// Of one database; `used` counts the bytes of all.
void RefuseBadExpected(const ExpectedSchema& expected, const std::string& path, std::size_t& used,
                       FieldErrors& errors);
// The ramp looks at one bottleneck.
void RefuseBadUtilisations(const PlanSpec& spec, FieldErrors& errors);

}  // namespace headgate::engine
