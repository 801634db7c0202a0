// ./dev bench judgement: what policies are worth on rehearsed platforms. The last line is JSON.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "controller/rehearsal/scenario.h"
#include "tests/bench/judgement/contest.h"
#include "tests/bench/judgement/policies.h"
#include "tests/bench/judgement/report.h"

namespace headgate::bench {
namespace {

constexpr int kUsage = 2;
constexpr std::size_t kRunsMax = 100'000;

// A file if there is one of that name, else a built-in scenario.
absl::StatusOr<rehearsal::Scenario> Load(const std::string& name) {
  std::ifstream file(name);
  const bool is_path = name.find('/') != std::string::npos || name.ends_with(".yaml");
  if (!file && is_path) {
    return absl::NotFoundError(fmt::format("scenario {} cannot be read: is the path right?", name));
  }
  if (!file) return rehearsal::FindScenario(name);
  std::stringstream text;
  text << file.rdbuf();
  return rehearsal::ParseScenario(text.str(), name);
}

absl::StatusOr<std::vector<rehearsal::Scenario>> LoadAll(const std::vector<std::string>& names) {
  if (names.empty()) return rehearsal::BuiltInScenarios();
  std::vector<rehearsal::Scenario> scenarios;
  for (const std::string& name : names) {
    absl::StatusOr<rehearsal::Scenario> scenario = Load(name);
    if (!scenario.ok()) return scenario.status();
    scenarios.push_back(*std::move(scenario));
  }
  return scenarios;
}

absl::StatusOr<std::vector<NamedPolicy>> Choose(const std::vector<std::string>& names) {
  if (names.empty()) return std::vector(Policies().begin(), Policies().end());
  std::vector<NamedPolicy> chosen;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(Policies(), name, &NamedPolicy::name);
    if (found == Policies().end()) {
      std::vector<std::string_view> known;
      for (const NamedPolicy& policy : Policies()) known.push_back(policy.name);
      return absl::NotFoundError(
          fmt::format("there is no policy '{}'; there are {}", name, fmt::join(known, ", ")));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

int Refuse(const absl::Status& status) {
  fmt::print(stderr, "judgement: {}\n", std::string(status.message()));
  return kUsage;
}

void Run(const Contest& contest) {
  fmt::print("judgement: {} runs each, seed {}\n", contest.runs, contest.seed);
  std::fflush(stdout);
  const auto began = std::chrono::steady_clock::now();
  const std::vector<Row> rows = Hold(contest);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  double seconds = 0;
  for (const rehearsal::Scenario& scenario : contest.scenarios) {
    seconds += scenario.site.duration_s * double(contest.runs * contest.policies.size());
  }
  fmt::print("{}\n{:.3g} rehearsed seconds in {:.1f} s: {:.2f} million a second, {} threads\n",
             Table(rows), seconds, took.count(), seconds / took.count() / 1e6, contest.threads);
  fmt::print("{}\n", Json(contest.seed, contest.runs, rows));
}

int Main(int argc, char** argv) {
  Contest contest;
  contest.threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::string> scenarios;
  std::vector<std::string> policies;
  CLI::App app("What policies are worth on rehearsed platforms");
  app.add_option("--runs", contest.runs, "runs of each policy on each scenario")
      ->check(CLI::Range(std::size_t{1}, kRunsMax));
  app.add_option("--seed", contest.seed, "different seeds share no run");
  app.add_option("--scenario", scenarios, "a file or a built-in name; all if there is none")
      ->take_all();
  app.add_option("--policy", policies, "a policy's name; all if there is none")->take_all();
  app.add_option("--threads", contest.threads)->check(CLI::Range(1, 256));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kUsage;
  }
  auto loaded = LoadAll(scenarios);
  if (!loaded.ok()) return Refuse(loaded.status());
  contest.scenarios = *std::move(loaded);
  auto chosen = Choose(policies);
  if (!chosen.ok()) return Refuse(chosen.status());
  contest.policies = *std::move(chosen);
  Run(contest);
  return 0;
}

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) { return headgate::bench::Main(argc, argv); }
