#include "tests/bench/judgement/prototype.h"

#include <algorithm>
#include <cmath>

namespace headgate::bench {
namespace {

using engine::Batch;
using engine::Sequential;
using engine::Trailing;

constexpr double kAlpha = .01;
constexpr double kBeta = .05;
constexpr double kGrowth = 4;
constexpr double kStepMax = .30;
constexpr double kUtilisationMax = .92;
constexpr double kRoomUsed = .7;
constexpr double kMassHour = .4;
constexpr double kMassChanges = .6;
constexpr double kRecentSeconds = 10;
constexpr double kLoadStep = .03;
constexpr double kLoadStepGrowth = 1.5;
constexpr double kLoadWait = 30;
constexpr double kNear = .97;

double Clip(double value, double least, double most) {
  return std::min(std::max(value, least), most);
}

}  // namespace

Prototype::Prototype(std::vector<PrototypeCheck> checks, double rps)
    : checks_(std::move(checks)),
      first_(Clip(6 / rps, .05, .25)),
      retry_(Clip(3 / rps, .01, first_)),
      recent_(checks_.size(), Trailing(kRecentSeconds)) {
  for (const PrototypeCheck& check : checks_) evidence_.emplace_back(check.limit);
}

double Prototype::Ratio(std::size_t check, double seconds) const {
  const Batch sum = recent_[check].Sum(seconds);
  return sum.total > 0 ? sum.bad / sum.total : 0;
}

void Prototype::Command(double share) {
  const bool is_raise = share > share_;
  changes_ += 1;
  const double mass = kMassChanges / (changes_ * (changes_ + 1));
  for (Sequential& check : evidence_) is_raise ? check.OnRaised(mass) : check.OnLowered(mass);
  if (utilisation_) {
    utilisation_before_ = *utilisation_;
    share_before_ = share_;
  } else {
    share_before_ = 0;
  }
  utilisation_.reset();
  applied_at_command_ = applied_;
  share_ = share;
  since_command_ = since_observed_ = 0;
  observed_ = false;
}

void Prototype::LookAtUtilisation(const Observation& seen) {
  if (!seen.utilisation) return;
  equal_values_ = *seen.utilisation == last_utilisation_ ? equal_values_ + 1 : 0;
  last_utilisation_ = *seen.utilisation;
  if (equal_values_ >= 20 || seen.utilisation_age > since_observed_ || !observed_) {
    utilisation_.reset();
    return;
  }
  utilisation_ = utilisation_ ? .5 * *utilisation_ + .5 * *seen.utilisation : *seen.utilisation;
}

void Prototype::Weigh(const Observation& seen) {
  applied_ = seen.applied;
  since_command_ += seen.seconds;
  since_failed_ += seen.seconds;
  const double way = share_ - applied_at_command_;
  const double gone = seen.applied - applied_at_command_;
  if (!observed_) observed_ = way >= 0 ? gone >= .5 * way : gone <= .8 * way;
  if (observed_) since_observed_ += seen.seconds;
  if (since_observed_ > 3 && applied_ > 0 && !IsBadNow()) {
    const double rate = seen.checks[0].total / seen.seconds / applied_;
    requests_per_share_ = requests_per_share_ > 0 ? .9 * requests_per_share_ + .1 * rate : rate;
  }
  LookAtUtilisation(seen);
  const double mass = life_ < 3600 ? kMassHour / 3600 * seen.seconds : 0;
  life_ += seen.seconds;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    recent_[i].Add(seen.checks[i]);
    evidence_[i].AddAgainst(seen.checks[i], mass, since_command_ > 21);
    if (since_observed_ > 1) evidence_[i].AddFor(seen.checks[i]);
  }
}

double Prototype::Bar() const { return double(checks_.size()) / kAlpha / (on_probation_ ? 10 : 1); }

double Prototype::Alarm() const {
  double most = 0;
  for (const Sequential& check : evidence_) most = std::max(most, check.Against());
  return most / Bar();
}

bool Prototype::IsBadNow() const {
  return std::any_of(evidence_.begin(), evidence_.end(),
                     [](const Sequential& check) { return check.WasBad(); });
}

bool Prototype::IsProven() const {
  if (since_observed_ < 3.5 || since_command_ < 7) return false;
  if (Alarm() >= .1 || IsBadNow()) return false;
  return HasEarned();
}

bool Prototype::HasEarned() const {
  return std::all_of(evidence_.begin(), evidence_.end(),
                     [](const Sequential& check) { return check.For() >= std::log(1 / kBeta); });
}

std::optional<double> Prototype::NextShare() const {
  if (share_ >= 1) return std::nullopt;
  double next = std::min({kGrowth * share_, share_ + kStepMax, 1.0});
  if (utilisation_) {
    double slope = *utilisation_ / share_;
    const double rise = *utilisation_ - utilisation_before_;
    if (share_before_ > 0 && share_ > share_before_ && rise >= .045) {
      slope = std::max(slope, rise / (share_ - share_before_));
    }
    const double room = (kUtilisationMax - *utilisation_) / slope;
    next = std::min(next, share_ + kRoomUsed * room);
  }
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    const Batch recent = recent_[i].Sum(5);
    if (checks_[i].counts_slow && recent.bad >= 3 &&
        recent.bad > .5 * checks_[i].limit * recent.total) {
      return std::nullopt;
    }
  }
  if (failed_ && *failed_ > share_) {
    const double wait = 120 * std::pow(2, std::min(share_failures_ - 1, 3.0));
    if (*failed_ - share_ > .04) {
      next = std::min(next, (share_ + *failed_) / 2);
    } else if (since_failed_ < wait) {
      return std::nullopt;
    } else {
      next = std::min(next, share_ + .08);
    }
  }
  if (failed_by_load_) {
    const double wait = std::min(kLoadWait * std::pow(2, load_failures_ - 1), 240.0);
    const double near = kNear * *failed_by_load_;
    if (next > near) next = since_failed_ < wait ? near : std::max(near, share_ + load_step_);
  } else if (!utilisation_) {
    next = std::min(next, share_ + load_step_);
  }
  if (next < share_ + .005) return std::nullopt;
  return std::min(next, 1.0);
}

// The share whose requests were answered well, of late.
double Prototype::Carried() const {
  double most = 0;
  const double rate = requests_per_share_;
  if (rate <= 0) return 1;
  for (std::size_t back = 0; back < 4; ++back) {
    double good = 1e18;
    for (std::size_t i = 0; i < checks_.size(); ++i) {
      const auto& ring = recent_[i].batches();
      if (ring.size() <= back) continue;
      const Batch& batch = ring[ring.size() - 1 - back];
      if (!checks_[i].counts_slow) good = std::min(good, (batch.total - batch.bad) / batch.seconds);
    }
    most = std::max(most, good / rate);
  }
  return std::max(most, first_);
}

void Prototype::Drain() {
  retreated_now_ = true;
  drains_ += 1;
  drain_wait_ = std::min(std::max(30 * std::pow(1.3, drains_ - 1), 10 * probe_lasted_), 960.0);
  drained_for_ = 0;
  proven_ = 0;
  Command(0);
  phase_ = Phase::kDrained;
}

void Prototype::Retreat() {
  retreated_now_ = true;
  double error_ratio = 0;
  double slow_ratio = 0;
  double slow_alarm = 0;
  double error_alarm = 0;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    double& ratio = checks_[i].counts_slow ? slow_ratio : error_ratio;
    double& alarm = checks_[i].counts_slow ? slow_alarm : error_alarm;
    ratio = std::max(ratio, Ratio(i, 3));
    alarm = std::max(alarm, evidence_[i].Against());
  }
  const bool slow_alarmed = slow_alarm >= Bar();
  const bool errors_alarmed = error_alarm >= Bar();
  const bool is_load = slow_alarmed || (utilisation_ && *utilisation_ >= .85);
  probe_lasted_ = since_command_;
  trust_ = proven_ < share_ ? proven_ : .6 * share_;
  if (proven_ <= 0) {
    Drain();
    return;
  }
  failed_was_ = failed_;
  failed_by_load_was_ = failed_by_load_;
  const double from = share_;
  double to = .9 * trust_;
  const bool is_severe = error_ratio >= .2 || (is_load && error_ratio > .1) || slow_ratio >= .3;
  if (is_severe) {
    to = std::max(trust_ / 4, first_);
  } else if (slow_alarmed && !errors_alarmed && slow_ratio < .1) {
    to = .9 * share_;
  } else if (is_load) {
    to = .8 * trust_;
  }
  to = std::min(to, .95 * share_);
  why_ = is_load ? Why::kLoad : Why::kShare;
  if (is_load) {
    // What was answered while it was overloaded is what it can carry.
    failed_by_load_ = std::min(from, Carried());
    load_failures_ += 1;
    load_step_ = kLoadStep;
    cure_wait_ = std::min(20 * std::pow(2, load_failures_ - 1), 80.0);
  } else {
    failed_ = from;
    share_failures_ += 1;
    cure_wait_ = std::min(120 * std::pow(2, share_failures_ - 1), 960.0);
  }
  since_failed_ = 0;
  in_cure_ = bad_in_cure_ = clean_ = 0;
  proven_ = std::min(proven_, trust_);
  Command(to);
  phase_ = Phase::kCuring;
}

void Prototype::Cure(const Observation& seen) {
  in_cure_ += seen.seconds;
  bool is_bad = false;
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    is_bad = is_bad || engine::IsBad(seen.checks[i], checks_[i].limit);
  }
  clean_ = is_bad ? 0 : clean_ + seen.seconds;
  if (is_bad && observed_ && since_observed_ >= 4) bad_in_cure_ += seen.seconds;
  if (is_bad && since_observed_ >= 4 && applied_ < trust_ && why_ != Why::kTime) {
    why_ = Why::kTime;
    failed_ = failed_was_;
    failed_by_load_ = failed_by_load_was_;
    time_failures_ += 1;
    cure_wait_ = std::min(10 * std::pow(2, time_failures_ - 1), 80.0);
  }
  if (bad_in_cure_ >= 8 && clean_ == 0 && share_ > first_ + 1e-9) {
    const double to = why_ == Why::kLoad ? std::max(share_ / 2, first_) : first_;
    bad_in_cure_ = 0;
    retreated_now_ = true;
    Command(to);
    return;
  }
  if (bad_in_cure_ >= 20 && clean_ == 0 && share_ <= first_ + 1e-9) {
    Drain();
    return;
  }
  if (HasEarned() && clean_ >= 5 && in_cure_ >= cure_wait_ && Alarm() < .1) {
    phase_ = Phase::kAdmitting;
    proven_ = std::max(proven_, share_);
    if (.9 * trust_ > share_) Command(.9 * trust_);
  }
}

void Prototype::WaitDrained(const Observation& seen) {
  drained_for_ += seen.seconds;
  if (drained_for_ < drain_wait_) return;
  on_probation_ = true;
  phase_ = Phase::kAdmitting;
  Command(retry_);
}

double Prototype::Decide(const Observation& seen) {
  retreated_now_ = false;
  if (share_ == 0 && phase_ == Phase::kAdmitting) {
    Command(first_);
    return share_;
  }
  if (!seen.has_data) return share_;
  if (phase_ == Phase::kDrained) {
    applied_ = seen.applied;
    WaitDrained(seen);
    return share_;
  }
  Weigh(seen);
  if (phase_ == Phase::kAdmitting && Alarm() >= 1) {
    Retreat();
    return share_;
  }
  if (phase_ == Phase::kCuring) {
    Cure(seen);
    return share_;
  }
  if (!IsProven()) return share_;
  proven_ = std::max(proven_, share_);
  on_probation_ = false;
  if (failed_by_load_ && share_ >= *failed_by_load_) {
    failed_by_load_.reset();
    load_failures_ = 0;
  }
  if (failed_ && share_ >= *failed_) {
    failed_.reset();
    share_failures_ = 0;
  }
  if (const auto next = NextShare()) {
    if (!failed_by_load_) load_step_ = std::min(kLoadStepGrowth * load_step_, kStepMax);
    Command(*next);
  }
  return share_;
}

}  // namespace headgate::bench
