// The person beside a peer: none of them starts again by itself after a rollback, so somebody does,
// from the first step, ten minutes later.
#pragma once

#include <functional>
#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

inline constexpr std::int64_t kPersonTakes_s = 600;

std::unique_ptr<Policy> RestartedByAPerson(std::function<std::unique_ptr<Policy>()> make);

}  // namespace headgate::bench
