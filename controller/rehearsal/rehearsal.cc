#include "controller/rehearsal/rehearsal.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace headgate::rehearsal {
namespace {

constexpr double kLast_s = 60;

}  // namespace

std::uint64_t SeedOfRun(std::uint64_t base_seed, std::size_t run) {
  return (base_seed << 24) + run;
}

RunResult RehearseOnce(const engine::Plan& plan, const Scenario& scenario, std::uint64_t seed,
                       RunRecord* record) {
  Platform platform(scenario, seed);
  Scorer scorer(scenario);
  Restorer restorer(
      plan, {.rps = scenario.site.rps, .sees_utilisation = scenario.utilisation.available > 0});
  Share share = restorer.Decide({});
  const double last_s = std::min(kLast_s, scenario.site.duration_s);
  double served_s = 0;
  for (double second = 0; second < scenario.site.duration_s; ++second) {
    Second now = platform.Step(share);
    const Share commanded = std::exchange(share, restorer.Decide(now.seen));
    scorer.Add(now.truth, restorer.RetreatedNow());
    if (second >= scenario.site.duration_s - last_s) served_s += std::min(now.truth.served, 1.0);
    if (record == nullptr) continue;
    record->moments.push_back({.commanded = commanded,
                               .seen = now.seen,
                               .truth = now.truth,
                               .weighing = Weigh(restorer.gate(), restorer.now())});
  }
  RunResult result{.score = scorer.Score(),
                   .share = share,
                   .phase = engine::NameOf(restorer.gate().record.restoration->phase),
                   .asks_for_a_person = restorer.AsksForAPerson(),
                   .served_at_end = served_s / last_s,
                   .call = restorer.first_call()};
  // Words cost time, and only who did not get there needs them.
  if (share < Share::All()) {
    engine::Explanation explanation = restorer.Explain();
    result.doing = std::move(explanation.doing);
    result.waits_for = std::move(explanation.waits_for);
    result.last_failure = restorer.LastFailure();
  }
  if (record != nullptr) record->decisions = restorer.decisions();
  return result;
}

std::vector<RunResult> Rehearse(const Rehearsal& rehearsal, const Progress& progress) {
  std::vector<RunResult> results(rehearsal.runs);
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> is_stopped = false;
  const auto work = [&](bool tells) {
    // Each run is written by the one thread that took its number.
    for (std::size_t run = next++; run < results.size() && !is_stopped; run = next++) {
      results[run] =
          RehearseOnce(rehearsal.plan, rehearsal.scenario, SeedOfRun(rehearsal.seed, run));
      ++done;
      if (tells && progress && !progress(done)) is_stopped = true;
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < rehearsal.threads; ++i) threads.emplace_back(work, false);
  work(true);
  threads.clear();
  if (is_stopped) results.clear();
  return results;
}

}  // namespace headgate::rehearsal
