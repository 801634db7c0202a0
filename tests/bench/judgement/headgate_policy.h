// Headgate itself behind the benchmark's seam: the real engine, with and without the database's
// utilisation. Its restoration begins with the run, and watches to its end.
#pragma once

#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

std::unique_ptr<Policy> MakeHeadgate(const Site& site);
std::unique_ptr<Policy> MakeHeadgateWithoutDatabase(const Site& site);

}  // namespace headgate::bench
