// The prototype behind the benchmark's seam, with and without the database's signal.
#pragma once

#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

std::unique_ptr<Policy> MakePrototype(const Site& site);
std::unique_ptr<Policy> MakePrototypeWithoutDatabase(const Site& site);

}  // namespace headgate::bench
