// Runs a scenario: a conversation between what happens and what Headgate does, as people on call
// would write it down. tests/scenarios/README.md has the words. Single-threaded, deterministic.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::engine {

// Input lines, `----`, what came out, and an empty line.
struct ScenarioBlock {
  // Comments and empty lines before the input, kept when the file is rewritten.
  std::string heading;
  std::vector<std::string> input;
  std::string expected;
};

std::vector<ScenarioBlock> ParseScenario(const std::string& text);
std::string FormatScenario(const std::vector<ScenarioBlock>& blocks);

// The blocks with what really came out. INVALID_ARGUMENT names the line that nobody understands.
absl::StatusOr<std::vector<ScenarioBlock>> RunScenario(std::vector<ScenarioBlock> blocks);

}  // namespace headgate::engine
