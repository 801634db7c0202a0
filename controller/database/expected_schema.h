// The schema that a plan expects of a primary, small enough to travel with the plan and to stand in
// every record of the journal: a fingerprint of the whole, and a number for each table, so that
// what differs has a name. The definitions stay in the baseline, with whoever wrote it.
// Pure; any thread. Promises: the same schema, seen through the same `schemas` and `allow`, gives
// the same fingerprint on every machine; the fingerprint alone decides, the numbers only name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/database/inventory.h"
#include "controller/database/schema.h"

namespace headgate::database {

// Without what the inventory's `schemas` do not name and its `allow` lets differ.
Schema ComparedPart(const Schema& schema, const Inventory& inventory);

// Of a table besides its name, about what it takes where it travels.
inline constexpr std::size_t kExpectedTableBytes = 12;
std::size_t BytesOf(const ExpectedSchema& expected);

// `inventory` says what is compared at all. Where the tables would take more than `bytes_max`, the
// fingerprint alone is kept.
ExpectedSchema Expect(const Schema& schema, const Inventory& inventory, std::size_t bytes_max);

// How the primary's schema differs from what the inventory expects, as findings of kind "baseline"
// that are not confirmed yet; at most `told_max`, the rest is counted. Empty: not at all.
std::vector<Finding> CompareWithExpected(const Inventory& inventory, const Schema& schema,
                                         std::size_t told_max);

}  // namespace headgate::database
