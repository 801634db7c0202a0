// A plan on a rehearsed platform, once or many times. The same plan, scenario and seed give the
// same runs, whatever the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/rehearsal/platform.h"
#include "controller/rehearsal/restorer.h"
#include "controller/rehearsal/scenario.h"
#include "controller/rehearsal/score.h"
#include "controller/rehearsal/weighing.h"

namespace headgate::rehearsal {

// The end of a second, as the engine saw it and as it was; `commanded` was in force within it.
struct Moment {
  Share commanded;
  Seen seen;
  Truth truth;
  Weighing weighing;
};

// One run, whole: for pictures.
struct RunRecord {
  std::vector<Moment> moments;
  std::vector<Decision> decisions;
};

struct RunResult {
  RunScore score;
  // When the run ended: what was commanded, the phase, and what stood in the way of a raise.
  Share share;
  std::string phase;
  // Only of a run that did not end at 100 %: in words, what it is doing, what it waits for, and the
  // check that took users out last.
  std::string doing;
  std::vector<std::string> waits_for;
  std::string last_failure;
  bool asks_for_a_person = false;
  // Part of all users who were served in the last minute, mean.
  double served_at_end = 0;
  // The first call for a person, at any time; none: never.
  std::optional<Call> call;
};

struct Rehearsal {
  engine::Plan plan;
  Scenario scenario;
  std::uint64_t seed = 1;
  std::size_t runs = 1;
  std::size_t threads = 1;
};

// Different base seeds share no run.
std::uint64_t SeedOfRun(std::uint64_t base_seed, std::size_t run);

// `record`, if given, is filled; that takes longer.
RunResult RehearseOnce(const engine::Plan& plan, const Scenario& scenario, std::uint64_t seed,
                       RunRecord* record = nullptr);

// Told on the calling thread after each of its runs how many are done; false: it shall stop.
using Progress = std::function<bool(std::size_t done)>;

// Run by run, in the order of their seeds; empty if it was stopped.
std::vector<RunResult> Rehearse(const Rehearsal& rehearsal, const Progress& progress);

}  // namespace headgate::rehearsal
