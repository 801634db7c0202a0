// Additive increase, multiplicative decrease, as congestion control does it (Chiu and Jain,
// "Analysis of the increase and decrease algorithms for congestion avoidance", 1989): every 5 s
// 2.5 % more, or half of it after a bad answer over those 5 s. It holds while it sees nothing, and
// never stops watching. It follows no project's source.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

inline constexpr std::int64_t kAimdEvery_s = 5;
inline constexpr std::uint32_t kAimdStepPpm = 25'000;
inline constexpr std::uint32_t kAimdLeastPpm = 10'000;

std::unique_ptr<Policy> MakeAimd(const Site& site);

}  // namespace headgate::bench
