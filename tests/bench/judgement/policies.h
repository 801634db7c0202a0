// All policies that the benchmark compares, by name.
#pragma once

#include <span>
#include <string_view>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

struct NamedPolicy {
  std::string_view name;
  PolicyFactory make;
};

std::span<const NamedPolicy> Policies();

}  // namespace headgate::bench
