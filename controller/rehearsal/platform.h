// A platform that recovers, in steps of one second: agents that lag, a queue before a limited
// capacity, users who retry, caches that warm, an application that fails. The same scenario, seed
// and commands give the same seconds on every run; the noise of a second depends on the seed alone,
// never on what was commanded (its effect on counts does). One thread at a time; no clock, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/share.h"
#include "controller/rehearsal/draw.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {

// What a controller can know at the end of a second. While there is no data the counts are 0 and
// `applied` is the last that was reported.
struct Seen {
  // Since the start of the run, at the end of this second: 1 after the first step.
  std::int64_t at_s = 0;
  bool has_data = false;
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  std::int64_t slow = 0;
  // Of the database, a part of 1 (noise may push it above); none if there is no such signal.
  std::optional<double> utilisation;
  double utilisation_age_s = 0;
  // What the agents say is in force.
  Share applied;
};

// What really happened in a second, for scores and pictures; no controller sees it.
struct Truth {
  // The effective share.
  double share = 0;
  // In full loads: first tries and retries, and how much of that was answered in time.
  double offered = 0;
  double good = 0;
  double capacity = 0;
  // Work that came in over capacity, and the wait in the queue.
  double load = 0;
  double delay_s = 0;
  // Parts of the requests: overload alone, and whatever the cause.
  double overload_ratio = 0;
  double error_ratio = 0;
  double slow_ratio = 0;
  // Part of all users who are in and get their answers.
  double served = 0;
  // Errors that users got, in requests.
  double errors = 0;
  // Less than half of those who are in get an answer in time.
  bool is_collapsed = false;
};

struct Second {
  Seen seen;
  Truth truth;
};

// The part of the answers that are slow at this load, a part of the capacity, after this wait.
double SlowRatio(const Scenario::Latency& latency, double load, double delay_s);

class Platform {
 public:
  Platform(const Scenario& scenario, std::uint64_t seed);

  Second Step(Share commanded);

 private:
  // Counts as they were taken, before they are late.
  struct Counts {
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    std::int64_t slow = 0;
  };

  void Admit(Share commanded);
  double CapacityNow() const;
  // Of the application: without noise, with noise, and of the users whose shard is broken.
  double ErrorsPlanned() const;
  double ErrorsNow();
  double FailingNow() const;
  void Correlate();
  void Burst();
  void Serve(Truth& truth);
  void Judge(double application_errors, Truth& truth) const;
  void Warm(const Truth& truth);
  void Observe(const Truth& truth, Seen& seen);
  Draw DrawFor(Purpose purpose) const;

  const Scenario scenario_;
  const std::uint64_t seed_;
  // Of the noise: what stays from one second to the next, and what comes in.
  const double noise_kept_;
  const double noise_new_;
  // Retries per first try when everything fails.
  const double retries_max_;
  const std::size_t counts_late_;
  const std::size_t utilisation_late_;
  // The places of the failing users among all, ascending.
  std::vector<double> failing_;

  std::int64_t second_ = 0;
  double share_ = 0;
  // What agents that ignore their directives keep; none while they obey.
  std::optional<double> ignored_at_;
  // In full loads.
  double queue_ = 0;
  double retries_ = 0;
  double warmth_;
  // Shares of users who are no longer newcomers: in what they cost, and in how much they ask for.
  double settled_ = 0;
  double calmed_ = 0;
  double noise_ = 0;
  double burst_left_s_ = 0;
  // First tries per share, this second.
  double surge_ = 1;
  // Rings of what is still on its way to the controller.
  std::vector<Counts> counts_;
  std::vector<double> utilisations_;
  Share reported_;
};

}  // namespace headgate::rehearsal
