// A prototype of the search for the largest share that a platform can carry: when to admit more
// and how much, when to take users out and how far, from the engine's sequential evidence and,
// where there is one, a signal of how busy the database is. The controller does not steer by it: it
// is here to be compared with what peers do. A value; it has no clock and is told how much time
// passed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "controller/engine/sequential.h"

namespace headgate::bench {

// What is known of one stretch of time.
struct Observation {
  double seconds = 1;
  bool has_data = false;
  // One for each check, in the order of their limits.
  std::vector<engine::Batch> checks;
  std::optional<double> utilisation;
  double utilisation_age = 0;
  // What agents say is in force, a part of 1.
  double applied = 0;
};

struct PrototypeCheck {
  double limit = .01;
  bool counts_slow = false;
};

class Prototype {
 public:
  // `rps`: expected requests per second at full share.
  Prototype(std::vector<PrototypeCheck> checks, double rps);

  // The share to command, a part of 1.
  double Decide(const Observation& seen);
  bool retreated_now() const { return retreated_now_; }

 private:
  enum class Phase { kAdmitting, kCuring, kDrained };
  enum class Why { kShare, kLoad, kTime };

  void Weigh(const Observation& seen);
  void LookAtUtilisation(const Observation& seen);
  // What evidence against must reach for a retreat, and how far it has come.
  double Bar() const;
  double Alarm() const;
  bool IsProven() const;
  // Every check speaks for an advance.
  bool HasEarned() const;
  bool IsBadNow() const;
  std::optional<double> NextShare() const;
  void Retreat();
  void Cure(const Observation& seen);
  void WaitDrained(const Observation& seen);
  void Command(double share);
  void Drain();
  double Carried() const;
  double Ratio(std::size_t check, double seconds) const;

  const std::vector<PrototypeCheck> checks_;
  const double first_;
  const double retry_;
  std::vector<engine::Sequential> evidence_;
  std::vector<engine::Trailing> recent_;

  Phase phase_ = Phase::kAdmitting;
  double share_ = 0;
  double applied_ = 0;
  double applied_at_command_ = 0;
  double since_command_ = 0;
  double since_observed_ = 0;
  bool observed_ = false;
  double life_ = 0;
  double changes_ = 0;

  double proven_ = 0;
  std::optional<double> failed_;
  std::optional<double> failed_by_load_;
  double since_failed_ = 0;
  double load_step_ = .30;
  double requests_per_share_ = 0;
  double share_failures_ = 0;
  double load_failures_ = 0;
  double time_failures_ = 0;
  bool on_probation_ = false;

  std::optional<double> utilisation_;
  double utilisation_before_ = 0;
  double share_before_ = 0;
  double last_utilisation_ = -1;
  double equal_values_ = 0;

  Why why_ = Why::kShare;
  double trust_ = 0;
  double cure_wait_ = 0;
  double in_cure_ = 0;
  double bad_in_cure_ = 0;
  double clean_ = 0;
  std::optional<double> failed_was_;
  std::optional<double> failed_by_load_was_;
  double drains_ = 0;
  double drained_for_ = 0;
  double drain_wait_ = 0;
  double probe_lasted_ = 0;

  bool retreated_now_ = false;
};

}  // namespace headgate::bench
