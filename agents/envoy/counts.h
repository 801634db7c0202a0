// What Envoy counts of a gate, out of its stats. Pure: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/enforcer.h"
#include "agents/envoy/answers.h"
#include "agents/envoy/weights.h"

namespace headgate::envoy {

inline constexpr char kUptime[] = "server.uptime";
// Above every threshold: who is below this was counted in the histogram at all.
inline constexpr std::uint32_t kSlowestMs = 3'600'000;

// The names of the gate's routes in stats, and of its filters.
std::string RouteStatOf(const std::string& gate);
std::string BypassStatOf(const std::string& gate);
std::string ProbeStatOf(const std::string& gate);
std::string RefusedStatOf(const std::string& gate);

// A regular expression for the names of the stats that are read here.
std::string FilterOf(const Gate& gate);

// Without `instance`. `slow`: of `slow_ms`, those that Envoy counts. FAILED_PRECONDITION: the
// snippet's routes, filter or clusters are not there.
absl::StatusOr<agent::RawCounters> CountersFrom(const Stats& stats, const Gate& gate,
                                                const std::vector<std::uint32_t>& slow_ms);

// Envoy's histograms tell times in two digits: 500 and 510 ms, not 505. INVALID_ARGUMENT otherwise.
absl::Status CheckSlow(const std::vector<std::uint32_t>& slow_ms);

}  // namespace headgate::envoy
