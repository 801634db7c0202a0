#include "controller/engine/sequential.h"

#include <algorithm>
#include <cmath>

namespace headgate::engine {
namespace {

constexpr double kRatioMax = .9;

// What it is tested against: rates in units of the limit, and the weight of each.
struct Alternative {
  double times;
  double weight;
};
constexpr std::array<Alternative, 6> kWorse = {
    {{1.2, .1}, {1.4, .15}, {2, .35}, {4, .2}, {10, .1}, {40, .1}}};
constexpr std::size_t kTwice = 2;
static_assert(kWorse[kTwice].times == 2);
// From here on an alternative is far from the limit.
constexpr double kFarTimes = 3;
// What a share is proven against, in units of the limit, and what it is proven to be, in units of
// that.
constexpr double kRejectedTimes = 2;
constexpr std::array<double, 3> kSound = {.1, .3, .6};

// Nats that a second may add: a burst is no regression until it lasts. Less once one has passed.
constexpr double kNatsPerSecond = 1;
constexpr double kNatsPerSecondAfterBurst = .4;
constexpr double kAllowanceSeconds = 2;
// So many events a second are too few to cut: each is a large step.
constexpr double kFewEvents = 20;
// Unless a second is so bad that waiting helps nobody.
constexpr double kSevereRatio = .3;
constexpr double kSevereEvents = 10;
// Above what chance does at the limit, once in thirty thousand seconds: matters to large limits.
constexpr double kSevereSigmas = 4;
constexpr double kSevereNatsPerSecond = 4;

constexpr double kForMax = 30;
// Each alternative stops where it alone reaches the ceiling, so that what has healed is believed:
// the nearest one takes long to forget what a gross failure left with it.
constexpr double kAboveCeiling = 1.01;
constexpr double kForNatsPerSecond = 2;
constexpr double kBadLinger_s = 5;
constexpr double kCalmAfterBurst_s = 5;
constexpr double kBurstErrors = 5;

// Correlation that is assumed, in units of the limit: before the run has shown any, and at most
// when it shows little.
constexpr double kAssumedAtFirst = 1.7;
constexpr double kAssumed = 2;
constexpr double kAssumedOfFor = 1.5;
constexpr double kCorrelationMax = .1;
constexpr double kBatch_s = 10;
constexpr double kForget = .966;
constexpr int kBatchesMin = 8;
constexpr double kLittleInflation = 3;

double RateOf(const Batch& batch) { return batch.seconds > 0 ? batch.total / batch.seconds : 0; }

// Variance of a sum of `rate` events whose pairs are correlated, in units of independent ones.
double Inflated(double rate, double correlation) {
  return 1 + std::max(rate - 1, 0.0) * correlation;
}

// So many times the limit, as far as that is a rate.
double Times(double times, double limit) {
  return std::min(times * limit, std::max(kRatioMax, 1.005 * limit));
}

}  // namespace

bool IsBad(const Batch& batch, double limit) {
  const double expected = kRejectedTimes * limit * batch.total;
  return batch.bad > expected + 1.5 * std::sqrt(expected) + .5;
}

bool IsSevere(const Batch& second, double limit) {
  const double ratio =
      std::min(kSevereRatio * std::max(1.0, limit / kUsualLimitMost), (1 + limit) / 2);
  const double scatter = std::sqrt(limit * (1 - limit) * second.total);
  return second.total >= kSevereEvents && second.bad >= ratio * second.total &&
         second.bad >= limit * second.total + kSevereSigmas * scatter;
}

void Trailing::Add(const Batch& batch) {
  batches_.push_back(batch);
  double kept = 0;
  for (const Batch& each : batches_) kept += each.seconds;
  // Half a millisecond for what adding up loses.
  while (batches_.size() > 1 && kept > seconds_ + 5e-4) {
    kept -= batches_.front().seconds;
    batches_.erase(batches_.begin());
  }
}

Batch Trailing::Sum(double seconds) const {
  Batch sum{.seconds = 0};
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
    if (sum.seconds + 5e-4 >= seconds) break;
    sum.seconds += batch->seconds;
    sum.total += batch->total;
    sum.bad += batch->bad;
  }
  return sum;
}

Dispersion::Dispersion(double limit)
    : assumed_(kAssumed * limit), correlation_(kAssumedAtFirst * limit) {}

double Dispersion::Deflation(double rate) const { return Inflated(rate, correlation_); }

double Dispersion::DeflationOfFar(double rate) const {
  return Inflated(rate, std::min(correlation_, assumed_));
}

void Dispersion::Add(const Batch& batch, bool is_steady) {
  if (!is_steady) {
    open_ = before_ = {.seconds = 0};
    return;
  }
  open_.seconds += batch.seconds;
  open_.total += batch.total;
  open_.bad += batch.bad;
  if (open_.seconds + 5e-4 >= kBatch_s) EndBatch();
}

void Dispersion::EndBatch() {
  const double n = open_.total;
  const double m = before_.total;
  if (n > 0 && m > 0) {
    const double p = (open_.bad + before_.bad) / (n + m);
    const double variance = p * (1 - p) * (1 / n + 1 / m);
    if (variance > 0) {
      const double difference = open_.bad / n - before_.bad / m;
      squares_ = kForget * squares_ + difference * difference / variance;
      weight_ = kForget * weight_ + 1;
      ++batches_;
    }
  }
  if (batches_ >= kBatchesMin) {
    const double inflation = squares_ / weight_;
    // An upper bound of it: the mean of squares scatters by about sqrt(2 / batches).
    const double high = inflation * (1 + 2.5 / std::sqrt(weight_));
    const double rate = std::max(RateOf(open_), 1.0);
    correlation_ = high < kLittleInflation ? std::min(assumed_, std::max(high - 1, .2) / rate)
                                           : std::max(assumed_, inflation / rate);
    // Never below what is assumed, which is more than that for limits above 5 %.
    correlation_ = std::min(correlation_, std::max(kCorrelationMax, assumed_));
  }
  before_ = open_;
  open_ = {.seconds = 0};
}

Sequential::Sequential(double limit, double ceiling)
    : limit_(limit), ceiling_(ceiling), dispersion_(limit) {
  allowance_.fill(kAllowanceSeconds * kNatsPerSecond);
  for (std::size_t j = 0; j < kAlternatives; ++j) {
    worse_[j] = StepOf(Times(kWorse[j].times, limit), limit);
  }
  const double rejected = Times(kRejectedTimes, limit);
  for (std::size_t k = 0; k < kAdvances; ++k) sound_[k] = StepOf(rejected * kSound[k], rejected);
}

Sequential::Step Sequential::StepOf(double p, double q) {
  return {.bad = std::log(p / q), .good = std::log((1 - p) / (1 - q))};
}

double Sequential::NatsPerSecondMax() const {
  return has_passed_burst_ ? kNatsPerSecondAfterBurst : kNatsPerSecond;
}

void Sequential::AddAgainst(const Batch& batch, double mass, bool is_steady) {
  dispersion_.Add(batch, is_steady);
  second_.Add(batch);
  const Batch second = second_.Sum();
  const double rate = RateOf(second);
  const bool is_severe = IsSevere(second, limit_);
  for (std::size_t j = 0; j < kAlternatives; ++j) {
    const double deflation = kWorse[j].times >= kFarTimes ? dispersion_.DeflationOfFar(rate)
                                                          : dispersion_.Deflation(rate);
    const double few = rate < kFewEvents ? worse_[j].bad : 0;
    allowance_[j] = std::min(allowance_[j] + NatsPerSecondMax() * batch.seconds,
                             kAllowanceSeconds * NatsPerSecondMax() + few);
    const double most =
        is_severe ? std::max(kSevereNatsPerSecond * batch.seconds, allowance_[j]) : allowance_[j];
    const double nats = std::min(worse_[j].Of(batch) / deflation, most);
    // Severe seconds run into debt, so that what follows them must speak for itself.
    allowance_[j] -= std::max(nats, 0.0);
    against_[j] = std::min((against_[j] + mass) * std::exp(nats),
                           kAboveCeiling * ceiling_ / kWorse[j].weight);
  }
  RememberBursts(batch, second);
}

void Sequential::RememberBursts(const Batch& batch, const Batch& second) {
  is_bad_now_ = IsBad(second, limit_);
  bad_left_s_ = is_bad_now_ ? kBadLinger_s : std::max(bad_left_s_ - batch.seconds, 0.0);
  if (second.bad >= kBurstErrors && second.bad >= kFarTimes * limit_ * second.total) {
    is_in_burst_ = true;
    calm_s_ = 0;
    return;
  }
  if (!is_in_burst_ || batch.total == 0) return;
  // In a lull that still speaks for twice the limit nothing has passed.
  if (worse_[kTwice].Of(second) > 0) return;
  calm_s_ += batch.seconds;
  if (calm_s_ < kCalmAfterBurst_s) return;
  has_passed_burst_ = true;
  is_in_burst_ = false;
}

void Sequential::AddFor(const Batch& batch) {
  const double deflation = Inflated(RateOf(second_.Sum()), kAssumedOfFor * limit_);
  for (std::size_t k = 0; k < kAdvances; ++k) {
    const double nats = sound_[k].Of(batch) / deflation;
    for_[k] = std::clamp(for_[k] + std::min(nats, kForNatsPerSecond * batch.seconds), 0.0, kForMax);
  }
}

void Sequential::OnRaised(double mass) {
  for (double& ratio : against_) ratio += mass;
  for_.fill(0);
}

void Sequential::OnLowered(double mass) {
  against_.fill(mass);
  for_.fill(0);
  allowance_.fill(kAllowanceSeconds * NatsPerSecondMax());
  is_in_burst_ = false;
  bad_left_s_ = 0;
  is_bad_now_ = false;
}

double Sequential::Against() const {
  double sum = 0;
  for (std::size_t j = 0; j < kAlternatives; ++j) sum += kWorse[j].weight * against_[j];
  return sum;
}

double Sequential::For() const {
  double sum = 0;
  for (const double nats : for_) sum += std::exp(nats);
  return std::log(sum / double(kAdvances));
}

}  // namespace headgate::engine
