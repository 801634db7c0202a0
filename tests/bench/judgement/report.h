// The benchmark's figures as people and as programs read them. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/bench/judgement/contest.h"

namespace headgate::bench {

// One line per row, under a line of headings; "-" for never and for what does not apply.
std::string Table(std::span<const Row> rows);

// One line: {"seed":…, "runs":…, "rows":[{"scenario":…, "policy":…, "lost_kum":…, "t100_min":…,
// "p_false":…, "delay50_s":…, "delay95_s":…, "errors":…, "collapse_s":…}, …]}; null for "-".
std::string Json(std::uint64_t seed, std::size_t runs, std::span<const Row> rows);

}  // namespace headgate::bench
