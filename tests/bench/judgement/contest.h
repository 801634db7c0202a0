// Runs policies on scenarios. Every policy meets the same traces: run r of a scenario has the same
// seed for all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "controller/rehearsal/rehearsal.h"
#include "controller/rehearsal/score.h"
#include "tests/bench/judgement/policies.h"

namespace headgate::bench {

struct Contest {
  std::vector<rehearsal::Scenario> scenarios;
  std::vector<NamedPolicy> policies;
  std::uint64_t seed = 1;
  std::size_t runs = 200;
  std::size_t threads = 1;
};

struct Row {
  std::string scenario;
  rehearsal::Kind kind = rehearsal::Kind::kBearable;
  std::string policy;
  rehearsal::Aggregate figures;
};

using rehearsal::SeedOfRun;

rehearsal::RunScore RunOnce(const rehearsal::Scenario& scenario, PolicyFactory make,
                            std::uint64_t seed);

// Scenario by scenario, each with its policies in their order.
std::vector<Row> Hold(const Contest& contest);

}  // namespace headgate::bench
