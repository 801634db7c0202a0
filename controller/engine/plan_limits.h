// The bounds of a plan, each with its name. Ranges of single fields are documented in plan.proto
// and in docs/PLAN.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/clock.h"

namespace headgate::engine {

inline constexpr std::size_t kChecksMax = 32;
inline constexpr std::size_t kStepsMax = 100;
inline constexpr std::size_t kAgentsMax = 1'000;
inline constexpr std::size_t kDatabasesMax = 16;
inline constexpr std::size_t kReplicasMax = 32;
// Taken: findings name the primary so.
inline constexpr char kPrimaryName[] = "primary";
inline constexpr std::size_t kSchemasMax = 64;
inline constexpr std::size_t kAllowedMax = 256;
inline constexpr std::size_t kAllowedBytesMax = 256;
inline constexpr std::size_t kComparedTablesMax = 256;
// The names of the tables of all expected schemas, and 12 bytes for each of them: they stand in
// each record of the journal, and come in one call with the plan.
inline constexpr std::size_t kExpectedBytesMax = 128U << 10U;
inline constexpr std::size_t kExpectedTableBytes = 12;
inline constexpr std::size_t kFingerprintDigits = 32;
// Comparing data is throttled in whole percents of a core.
inline constexpr std::uint32_t kPpmOfPercent = 10'000;
inline constexpr Duration kDataEveryMin{10'000};
// 4 TiB.
inline constexpr std::uint32_t kMebibytesMax = 4'194'304;
inline constexpr std::uint32_t kDeadlocksMax = 100'000;
inline constexpr std::uint32_t kActiveMax = 100'000;
inline constexpr std::size_t kBypassRulesMax = 64;
inline constexpr std::size_t kQueryBytesMax = 4'096;
inline constexpr std::size_t kUrlBytesMax = 1'024;

inline constexpr std::uint32_t kStepMaxPpmLeast = 10'000;
inline constexpr std::uint32_t kUtilisationLimitPpmLeast = 100'000;
// A share is raised within seconds.
inline constexpr Duration kUtilisationEveryMax{10'000};
inline constexpr std::uint32_t kLimitPpmMax = 990'000;
inline constexpr std::uint32_t kHysteresisPpmMax = 500'000;
inline constexpr std::uint64_t kMinSampleMax = 1'000'000;
inline constexpr std::uint32_t kRetriesMax = 10;

// The shortest window, freshness, poll, patience, backoff and bake: a turn of judgement is 1 s.
inline constexpr Duration kShortest{1'000};
inline constexpr Duration kHour{3'600'000};
inline constexpr Duration kDay{86'400'000};
// Load balancers count slow answers up to this threshold.
inline constexpr Duration kSlowerThanMax{60'000};

}  // namespace headgate::engine
