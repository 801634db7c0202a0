#include "controller/rehearsal/platform.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace headgate::rehearsal {
namespace {

constexpr double kPpm = Share::kPpmMax;
// Fewer than one of ten million users: nobody.
constexpr double kNobody = 1e-7;
// What a swinging or leaking platform keeps.
constexpr double kCapacityLeast = 0.05;
// How the 99th percentile rises with the load, and where it would have no end.
constexpr double kRise = 0.3;
constexpr double kPole = 1.05;
constexpr double kLoadMax = 1.2;

double RetriesMax(const Scenario::Retries& retries) {
  double sum = 0;
  double chance = 1;
  for (double time = 1; time <= retries.times; ++time) {
    chance *= retries.chance;
    sum += chance;
  }
  return sum;
}

std::vector<double> PlaceFailing(const Scenario& scenario, std::uint64_t seed) {
  const Scenario::FailingUsers& failing = scenario.failing_users;
  const double width = failing.to_share - failing.from_share;
  std::vector<double> places;
  const auto count = static_cast<std::uint64_t>(std::llround(failing.part * scenario.site.users));
  for (std::uint64_t user = 0; user < count; ++user) {
    Draw draw(seed, Purpose::kFailingUsers, user);
    places.push_back(failing.from_share + width * draw.Uniform());
  }
  std::sort(places.begin(), places.end());
  return places;
}

std::size_t WholeSeconds(double seconds) { return static_cast<std::size_t>(std::lround(seconds)); }

// Independent causes: what fails for one cannot fail for the other again.
double Either(double one, double other) { return 1 - (1 - one) * (1 - other); }

}  // namespace

double SlowRatio(const Scenario::Latency& latency, double load, double delay_s) {
  const double busy = std::min(load, 1.0);
  const double p99 = latency.p99_s * (1 + kRise * busy / (kPole - busy)) + delay_s;
  return std::exp(-latency.slow_above_s / p99 * std::log(100.0));
}

Platform::Platform(const Scenario& scenario, std::uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      noise_kept_(std::exp(-1 / scenario.errors.correlation_s)),
      noise_new_(scenario.errors.sigma * std::sqrt(1 - noise_kept_ * noise_kept_)),
      retries_max_(RetriesMax(scenario.retries)),
      counts_late_(WholeSeconds(scenario.metrics.delay_s)),
      utilisation_late_(WholeSeconds(scenario.utilisation.delay_s)),
      failing_(PlaceFailing(scenario, seed)),
      warmth_(scenario.cache.warmth),
      counts_(counts_late_ + 1),
      utilisations_(utilisation_late_ + 1) {}

Draw Platform::DrawFor(Purpose purpose) const {
  return Draw(seed_, purpose, static_cast<std::uint64_t>(second_));
}

Second Platform::Step(Share commanded) {
  Second second;
  Admit(commanded);
  const double application_errors = ErrorsNow();
  Serve(second.truth);
  Judge(application_errors, second.truth);
  Observe(second.truth, second.seen);
  Warm(second.truth);
  ++second_;
  second.seen.at_s = second_;
  return second;
}

void Platform::Admit(Share commanded) {
  const Scenario::Agents& agents = scenario_.agents;
  const double now = double(second_);
  double target = double(commanded.ppm()) / kPpm;
  const bool is_ignoring =
      agents.ignoring > 0 && now >= agents.ignoring_from_s && now < agents.ignoring_until_s;
  if (!is_ignoring) ignored_at_.reset();
  if (is_ignoring && !ignored_at_) ignored_at_ = share_;
  if (ignored_at_) target = (1 - agents.ignoring) * target + agents.ignoring * *ignored_at_;
  const double before = share_;
  share_ += (target > share_ ? agents.rise : agents.fall) * (target - share_);
  if (share_ < kNobody) share_ = 0;
  // Those who are out do not retry.
  if (share_ < before) retries_ *= share_ / before;
}

double Platform::CapacityNow() const {
  const Scenario::Capacity& capacity = scenario_.capacity;
  const double now = double(second_);
  const bool is_cold = capacity.cold > 0 && warmth_ <= capacity.cold_until;
  double value = is_cold ? capacity.cold : capacity.base + capacity.warm_adds * warmth_;
  if (capacity.swing > 0) {
    value *= 1 + capacity.swing * std::sin(2 * std::numbers::pi * now / capacity.swing_every_s);
  }
  value -= capacity.leak_per_hour * now / 3'600;
  for (const CapacityFault& fault : capacity.faults) {
    if (fault.when.Contains(now)) value = std::min(value, fault.capacity);
  }
  return std::max(value, std::min(kCapacityLeast, capacity.base));
}

double Platform::ErrorsPlanned() const {
  const double now = double(second_);
  double errors = scenario_.errors.base;
  for (const ErrorFault& fault : scenario_.errors.faults) {
    if (!fault.when.Contains(now) || (fault.above_share > 0 && share_ <= fault.above_share)) {
      continue;
    }
    const double grown =
        fault.grows_s > 0 ? std::min(1.0, (now - fault.when.from_s) / fault.grows_s) : 1;
    const double base = scenario_.errors.base;
    errors = std::max(errors, base + (fault.ratio - base) * grown);
  }
  return errors;
}

void Platform::Correlate() {
  const double sigma = scenario_.errors.sigma;
  if (sigma <= 0) return;
  const double normal = DrawFor(Purpose::kCorrelation).Normal();
  noise_ = second_ == 0 ? sigma * normal : noise_kept_ * noise_ + noise_new_ * normal;
}

void Platform::Burst() {
  const Scenario::Errors& errors = scenario_.errors;
  if (errors.burst_every_s <= 0) return;
  burst_left_s_ -= 1;
  Draw draw = DrawFor(Purpose::kBursts);
  // Both are drawn in any case: the noise of a second must not depend on that of another.
  const bool begins = draw.Uniform() < 1 / errors.burst_every_s;
  // Whole seconds, geometric, so that their mean is what the scenario says.
  const double goes_on = 1 - 1 / errors.burst_lasts_s;
  const double lasts_s = goes_on > 0 ? std::ceil(std::log(draw.Uniform()) / std::log(goes_on)) : 1;
  if (begins) burst_left_s_ = std::max(burst_left_s_, lasts_s);
}

double Platform::ErrorsNow() {
  Correlate();
  Burst();
  double errors = ErrorsPlanned();
  const double sigma = scenario_.errors.sigma;
  if (sigma > 0) errors *= std::exp(noise_ - sigma * sigma / 2);  // a factor with mean 1
  if (burst_left_s_ > 0) errors += scenario_.errors.burst_ratio;
  return Either(std::min(errors, 1.0), FailingNow());
}

double Platform::FailingNow() const {
  if (failing_.empty() || share_ <= 0) return 0;
  const auto in = std::lower_bound(failing_.begin(), failing_.end(), share_) - failing_.begin();
  return std::min(1.0, double(in) / (share_ * scenario_.site.users));
}

void Platform::Serve(Truth& truth) {
  const double newcomers = std::max(share_ - settled_, 0.0);
  const double cost = share_ > 0 ? 1 + (scenario_.newcomers.cost - 1) * newcomers / share_ : 1;
  surge_ = share_ > 0
               ? 1 + (scenario_.newcomers.surge - 1) * std::max(share_ - calmed_, 0.0) / share_
               : 1;
  const double offered = share_ * surge_ + retries_;
  const double work = offered * cost;
  const double capacity = CapacityNow();
  queue_ += work;
  const double done = std::min(queue_, capacity);
  queue_ = std::min(queue_ - done, scenario_.queue.holds_s * capacity);
  const double delay = queue_ / capacity;
  const Scenario::Queue& queue = scenario_.queue;
  const double in_time =
      std::clamp((queue.gives_up_s - delay) / (queue.gives_up_s - queue.patience_s), 0.0, 1.0);
  const double good = std::min(offered, done / cost) * in_time;
  const double failed = offered > 0 ? 1 - good / offered : 0;
  const double again =
      std::min(scenario_.retries.chance * failed * offered, retries_max_ * share_ * surge_);
  retries_ += scenario_.retries.pace * (again - retries_);
  truth = {.share = share_,
           .offered = offered,
           .good = good,
           .capacity = capacity,
           .load = std::min(work / capacity, kLoadMax),
           .delay_s = delay,
           .overload_ratio = failed};
}

void Platform::Judge(double application_errors, Truth& truth) const {
  truth.slow_ratio = SlowRatio(scenario_.latency, truth.load, truth.delay_s);
  truth.error_ratio = Either(truth.overload_ratio, application_errors);
  const double users = std::min(truth.good / surge_, truth.share);
  truth.served = users * (1 - application_errors);
  truth.errors = truth.offered * scenario_.site.rps * truth.error_ratio;
  truth.is_collapsed = truth.share > 0 && users < truth.share / 2;
}

void Platform::Warm(const Truth& truth) {
  const Scenario::Newcomers& newcomers = scenario_.newcomers;
  const double users = std::min(truth.good / surge_, truth.share);
  warmth_ += users * (1 - warmth_) / scenario_.cache.warms_s;
  const double more = share_ - settled_;
  settled_ += more > 0 ? (1 - truth.overload_ratio) * more / newcomers.settle_s
                       : more / newcomers.forgotten_s;
  const double louder = share_ - calmed_;
  calmed_ += louder / (louder > 0 ? newcomers.surge_s : newcomers.forgotten_s);
}

void Platform::Observe(const Truth& truth, Seen& seen) {
  const Scenario::Metrics& metrics = scenario_.metrics;
  const auto passed = static_cast<std::size_t>(second_);
  Counts& taken = counts_[passed % counts_.size()];
  taken.requests = DrawFor(Purpose::kRequests).Poisson(truth.offered * scenario_.site.rps);
  taken.errors =
      DrawFor(Purpose::kErrors).Binomial(taken.requests, truth.error_ratio * metrics.errors_factor);
  taken.slow =
      DrawFor(Purpose::kSlow).Binomial(taken.requests, truth.slow_ratio * metrics.slow_factor);
  double& utilisation = utilisations_[passed % utilisations_.size()];
  utilisation = std::min(truth.load, 1.0) * scenario_.utilisation.factor;
  if (scenario_.utilisation.available > 0 && scenario_.utilisation.noise > 0) {
    utilisation *= 1 + scenario_.utilisation.noise * DrawFor(Purpose::kUtilisation).Normal();
  }

  seen.applied = reported_;
  // Read at the end of the second: a source that goes silent at 60 s does not answer then.
  const double read_at_s = double(second_ + 1);
  for (const Stretch& blackout : metrics.blackouts) {
    if (blackout.Contains(read_at_s)) return;
  }
  reported_ = Share::FromPpm(static_cast<std::uint64_t>(std::llround(share_ * kPpm))).value();
  seen.applied = reported_;
  // In a ring of `late + 1` the slot after the newest is the oldest.
  if (scenario_.utilisation.available > 0 && passed >= utilisation_late_) {
    seen.utilisation = utilisations_[(passed + 1) % utilisations_.size()];
    seen.utilisation_age_s = double(utilisation_late_);
  }
  // What is told of before the first second: nobody was in.
  const Counts& told = counts_[(passed + 1) % counts_.size()];
  seen.has_data = true;
  seen.requests = told.requests;
  seen.errors = told.errors;
  seen.slow = told.slow;
}

}  // namespace headgate::rehearsal
