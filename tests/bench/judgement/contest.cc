#include "tests/bench/judgement/contest.h"

#include <atomic>
#include <memory>
#include <thread>

#include "controller/rehearsal/platform.h"

namespace headgate::bench {
namespace {

using rehearsal::RunScore;
using rehearsal::Scenario;

std::vector<RunScore> RunAll(const Contest& contest, const Scenario& scenario, PolicyFactory make) {
  std::vector<RunScore> scores(contest.runs);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    // Each run is written by the one thread that took its number.
    for (std::size_t run = next++; run < scores.size(); run = next++) {
      scores[run] = RunOnce(scenario, make, SeedOfRun(contest.seed, run));
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t thread = 1; thread < contest.threads; ++thread) threads.emplace_back(work);
  work();
  threads.clear();
  return scores;
}

}  // namespace

RunScore RunOnce(const Scenario& scenario, PolicyFactory make, std::uint64_t seed) {
  rehearsal::Platform platform(scenario, seed);
  rehearsal::Scorer scorer(scenario);
  const std::unique_ptr<Policy> policy =
      make({.limits = scenario.limits, .rps = scenario.site.rps});
  Share share = policy->Decide({});
  for (double second = 0; second < scenario.site.duration_s; ++second) {
    const rehearsal::Second now = platform.Step(share);
    share = policy->Decide(now.seen);
    scorer.Add(now.truth, policy->RetreatedNow());
  }
  return scorer.Score();
}

std::vector<Row> Hold(const Contest& contest) {
  std::vector<Row> rows;
  for (const Scenario& scenario : contest.scenarios) {
    for (const NamedPolicy& policy : contest.policies) {
      const std::vector<RunScore> scores = RunAll(contest, scenario, policy.make);
      rows.push_back({.scenario = scenario.name,
                      .kind = scenario.kind,
                      .policy = std::string(policy.name),
                      .figures = Aggregated(scenario, scores)});
    }
  }
  return rows;
}

}  // namespace headgate::bench
