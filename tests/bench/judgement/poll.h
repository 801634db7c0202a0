// A script as many a team has one: every 5 s it asks for the ratios of the last half minute, takes
// everybody out at the third bad answer in a row, and climbs a step each minute. It ignores what
// it cannot read, and goes on watching at 100 %. It follows no project's source.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

inline constexpr std::int64_t kPollEvery_s = 5;
inline constexpr std::int64_t kPollStep_s = 60;
inline constexpr std::size_t kPollRange_s = 30;
inline constexpr int kPollStrikesMax = 3;

std::unique_ptr<Policy> MakePoll(const Site& site);

}  // namespace headgate::bench
