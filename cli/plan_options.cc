#include "cli/plan_options.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <string>

namespace headgate::cli {
namespace {

// The range of site.rps of a scenario.
constexpr double kRpsMin = 0.1;
constexpr double kRpsMax = 1'000'000;
constexpr std::size_t kRunsMax = 10'000;
// What leaves room for the number of a run.
constexpr std::uint64_t kSeedMax = (std::uint64_t{1} << 40U) - 1;

// CLI::Range lets NaN through, which is neither below nor above a bound.
std::string RefuseNan(const std::string& text) {
  return std::isnan(std::strtod(text.c_str(), nullptr)) ? text + " is no finite number" : "";
}

}  // namespace

void AddPlanOptions(CLI::App& validate, CLI::App& simulate, Command& command) {
  SimulateFlags& flags = command.simulate;
  for (CLI::App* verb : {&validate, &simulate}) {
    verb->add_option("PLAN", command.plan_file, "the plan's YAML file; - is standard input")
        ->type_name("")
        ->required();
  }
  validate
      .add_option("--rps", flags.rps,
                  "requests a second at 100 %: warns where that is too little for the plan")
      ->check(CLI::Range(kRpsMin, kRpsMax))
      ->check(RefuseNan);
  simulate
      .add_option("--scenario", flags.scenarios,
                  "a scenario's file, or the name of a built-in one (docs/SCENARIOS.md); may be "
                  "repeated [a sound platform and typical troubles: H1 B2 B6 M1 M3 H6]")
      ->allow_extra_args(false);
  simulate.add_option("--runs", flags.runs, "runs on each scenario [50]")
      ->check(CLI::Range(std::size_t{1}, kRunsMax));
  simulate.add_option("--seed", flags.seed, "another one gives other runs [1]")
      ->check(CLI::Range(std::uint64_t{0}, kSeedMax));
  simulate
      .add_option("--rps", flags.rps,
                  "requests a second at 100 % [what the scenario says: 2000; on the quiet night of "
                  "H6 40, and a fiftieth of --rps unless H6 is asked for by name]")
      ->check(CLI::Range(kRpsMin, kRpsMax))
      ->check(RefuseNan);
}

}  // namespace headgate::cli
