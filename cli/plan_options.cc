#include "cli/plan_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <string>
#include <system_error>
#include <type_traits>

#include "common/base/number.h"

namespace headgate::cli {
namespace {

// The range of site.rps of a scenario.
constexpr double kRpsMin = 0.1;
constexpr double kRpsMax = 1'000'000;
constexpr std::size_t kRunsMax = 10'000;
// What leaves room for the number of a run.
constexpr std::uint64_t kSeedMax = (std::uint64_t{1} << 40U) - 1;

// CLI11 says of "1e3" that it could not be converted, and lets NaN through any range.
template <typename Number>
auto Between(Number least, Number most) {
  return [least, most](const std::string& text) -> std::string {
    constexpr bool kIsWhole = std::is_integral_v<Number>;
    const std::string bounds =
        fmt::format("write {} to {}", PlainNumber(double(least)), PlainNumber(double(most), 13));
    Number value{};
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (rest != end || error == std::errc::invalid_argument) {
      return fmt::format("'{}' is not a {}number: {}", text, kIsWhole ? "whole " : "", bounds);
    }
    const bool is_inside = error == std::errc() && value >= least && value <= most;
    return is_inside ? "" : fmt::format("{} is out of range: {}", text, bounds);
  };
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
      ->check(Between(kRpsMin, kRpsMax));
  validate.add_flag("--strict", command.is_strict, "refuse a plan that is warned of: exit code 3");
  simulate
      .add_option("--scenario", flags.scenarios,
                  "a scenario's file, or the name of a built-in one (docs/SCENARIOS.md); may be "
                  "repeated [a sound platform and typical troubles: H1 B2 B6 M1 M3 H6]")
      ->allow_extra_args(false);
  simulate.add_option("--runs", flags.runs, "runs on each scenario [50]")
      ->check(Between(std::size_t{1}, kRunsMax));
  simulate
      .add_option("--run", flags.run,
                  "which run is drawn, 1 to --runs, on the first scenario that is named, else on "
                  "B6 [1]")
      ->check(Between(std::size_t{1}, kRunsMax));
  simulate.add_option("--seed", flags.seed, "another one gives other runs [1]")
      ->check(Between(std::uint64_t{0}, kSeedMax));
  simulate
      .add_option("--rps", flags.rps,
                  "requests a second at 100 % [what the scenario says: 2000; on the quiet night of "
                  "H6 40, and a fiftieth of --rps unless H6 is asked for by name]")
      ->check(Between(kRpsMin, kRpsMax));
}

std::string CheckPlanOptions(const Command& command) {
  const SimulateFlags& flags = command.simulate;
  if (command.verb != Verb::kSimulate || flags.run <= flags.runs) return "";
  return fmt::format("--run {} is above --runs {}: write 1 to {}", flags.run, flags.runs,
                     flags.runs);
}

}  // namespace headgate::cli
