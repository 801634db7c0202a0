// What a run was worth, and what many were. Values and pure functions; one thread at a time each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "controller/rehearsal/platform.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {

struct RunScore {
  // Thousand user-minutes in which somebody was out or got an error.
  double lost_kum = 0;
  // The start of the first 60 s in which 95 % of all users were served.
  std::optional<double> to_full_s;
  int retreats = 0;
  // From the onset of a bad scenario to the first decision to retreat; none if there was none.
  std::optional<double> delay_s;
  // Of a bad scenario: before its onset, and how long that was.
  int early_retreats = 0;
  double sound_s = 0;
  // Errors that users got, in requests.
  double errors = 0;
  // Seconds in which less than half of those who were in got an answer in time.
  double collapse_s = 0;
};

// Takes the seconds of one run in their order.
class Scorer {
 public:
  explicit Scorer(const Scenario& scenario);

  // `retreated`: the policy decided at the end of this second to lower the share because of what
  // it saw.
  void Add(const Truth& truth, bool retreated);
  const RunScore& Score() const { return score_; }

 private:
  const Kind kind_;
  const Scenario::Onset onset_;
  const double kum_per_second_;
  double second_ = 0;
  double served_since_s_ = 0;
  std::optional<double> began_s_;
  RunScore score_;
};

// Over runs. A run in which something never happened counts as later than any other.
struct Spread {
  double mean = 0;
  std::optional<double> p05;
  std::optional<double> median;
  std::optional<double> p95;
};

struct Aggregate {
  std::int64_t runs = 0;
  Spread lost_kum;
  // The mean is that of the runs that came to 100 %.
  Spread to_full_s;
  // Part of the runs with at least one retreat; none unless the scenario is bearable.
  std::optional<double> false_retreats;
  // The same of a bad scenario before its onset, and how many in an hour of that time; none where
  // the onset is at once.
  std::optional<double> early_retreats;
  double early_retreats_per_hour = 0;
  // All empty unless the scenario is bad; the mean is that of the runs that retreated.
  Spread delay_s;
  Spread errors;
  Spread collapse_s;
  Spread retreats;
};

// `runs` are of this scenario, and at least one.
Aggregate Aggregated(const Scenario& scenario, std::span<const RunScore> runs);

}  // namespace headgate::rehearsal
