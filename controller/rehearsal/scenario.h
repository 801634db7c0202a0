// What a rehearsed platform is like and what goes wrong on it: the value behind a scenario file.
// docs/SCENARIOS.md has every parameter with unit, range and default; the defaults here are those
// of a sound platform. Plain values and pure functions, callable from any thread.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace headgate::rehearsal {

// "Never", for the end of something that does not end.
inline constexpr double kForever = std::numeric_limits<double>::infinity();

// What a run of the scenario is a trial of.
enum class Kind {
  // A platform that can carry everybody within its limits: each retreat is a false one.
  kBearable,
  // A platform beyond its limits from the onset on: what counts is how soon that is found.
  kBad,
  // A platform whose limits move: it can carry some share, and another one later.
  kMoving,
};

// When something is so: from `from_s` until `until_s`, and if `every_s` is not 0, then only in the
// first `lasts_s` of each `every_s` from there.
struct Stretch {
  double from_s = 0;
  double until_s = kForever;
  double every_s = 0;
  double lasts_s = 0;

  bool Contains(double at_s) const;
};

// The application fails: `ratio` of its answers where that is more than without the fault.
struct ErrorFault {
  Stretch when;
  double ratio = 0;
  // The time over which the fault grows from the base to `ratio`.
  double grows_s = 0;
  // Only while more than this share of the users is in.
  double above_share = 0;
};

// The capacity is at most this.
struct CapacityFault {
  Stretch when;
  double capacity = 0;
};

// Shares and ratios are parts of 1, times are seconds, capacities are in full loads.
struct Scenario {
  std::string name;
  // One line for people.
  std::string what;
  Kind kind = Kind::kBearable;

  // From when on a controller should retreat: the later of a time and the moment at which the
  // effective share first exceeds `above_share`. Only a kBad scenario needs it.
  struct Onset {
    double at_s = 0;
    double above_share = 0;
  } onset;

  struct Site {
    double users = 20'000;
    double rps = 2'000;
    double duration_s = 3'600;
  } site;

  // What the plan of the restoration would demand, where there is none of its own (the bench); a
  // platform at the limit is still bearable.
  struct Limits {
    double errors = 0.01;
    double slow = 0.01;
    bool are_said = false;
  } limits;

  struct Errors {
    double base = 0.003;
    // Standard deviation and correlation time of the logarithm of the error ratio; its mean stays
    // what it is.
    double sigma = 0;
    double correlation_s = 10;
    // Mean time from burst to burst (0: none), mean duration, and what a burst adds.
    double burst_every_s = 0;
    double burst_lasts_s = 3;
    double burst_ratio = 0.15;
    std::vector<ErrorFault> faults;
  } errors;

  // Users for whom everything fails, whoever else is in: a broken shard.
  struct FailingUsers {
    double part = 0;
    // They are spread evenly among the users between these two shares.
    double from_share = 0;
    double to_share = 1;
  } failing_users;

  struct Capacity {
    double base = 3;
    // What a wholly warm cache adds.
    double warm_adds = 0;
    // Instead of `base` until the cache is warmer than `cold_until`; 0: no such knee.
    double cold = 0;
    double cold_until = 0;
    // A sine of this relative amplitude and period.
    double swing = 0;
    double swing_every_s = 120;
    // What is lost per hour, down to a twentieth.
    double leak_per_hour = 0;
    std::vector<CapacityFault> faults;
  } capacity;

  struct Cache {
    double warmth = 0;
    double warms_s = 600;
  } cache;

  // Users who have just been let in.
  struct Newcomers {
    // Load of a request of theirs, in requests of others.
    double cost = 1;
    double settle_s = 90;
    // How fast users who are out become newcomers again.
    double forgotten_s = 600;
    // Requests of theirs per request of others, and how long that lasts.
    double surge = 1;
    double surge_s = 30;
  } newcomers;

  struct Retries {
    // That a failed request is tried again, and how often at most.
    double chance = 0.8;
    double times = 2;
    // Part of the way to its new level that the retry load goes in a second.
    double pace = 0.5;
  } retries;

  struct Queue {
    double holds_s = 8;
    // All wait for this long, and nobody longer than for the other.
    double patience_s = 1.5;
    double gives_up_s = 2.5;
  } queue;

  struct Latency {
    double p99_s = 0.15;
    double slow_above_s = 0.5;
  } latency;

  struct Agents {
    // Part of the way to a commanded share that is gone in a second.
    double rise = 0.2;
    double fall = 0.6;
    // Part of the agents that keep their share whatever is commanded, and when.
    double ignoring = 0;
    double ignoring_from_s = 0;
    double ignoring_until_s = kForever;
  } agents;

  // What the controller is told.
  struct Metrics {
    double delay_s = 0;
    // Counted errors per error, counted slow answers per slow answer.
    double errors_factor = 1;
    double slow_factor = 1;
    std::vector<Stretch> blackouts;
  } metrics;

  // The database's utilisation as a signal.
  struct Utilisation {
    // 0: there is no such signal.
    double available = 1;
    double noise = 0.03;
    double delay_s = 0;
    double factor = 1;
  } utilisation;
};

// INVALID_ARGUMENT has one line `file:line:column: what, value, bound, remedy` for each thing that
// is wrong. What the text does not say is as in `unsaid`.
absl::StatusOr<Scenario> ParseScenario(std::string_view text, std::string_view file_name,
                                       const Scenario& unsaid = {});

// The files of controller/rehearsal/scenarios as they were built in, in the order of their names.
struct BuiltInText {
  std::string_view name;
  std::string_view text;
};
std::span<const BuiltInText> BuiltInTexts();

std::vector<Scenario> BuiltInScenarios();
// NOT_FOUND names those that there are.
absl::StatusOr<Scenario> FindScenario(std::string_view name, const Scenario& unsaid = {});

// "bearable".
std::string_view NameOf(Kind kind);

}  // namespace headgate::rehearsal
