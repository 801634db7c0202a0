#include "controller/rehearsal/adaptive_doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/plan_limits.h"
#include "controller/engine/sequential.h"
#include "controller/rehearsal/counted.h"

namespace headgate::rehearsal {
namespace {

// What is told to write shall not be needed to the last second.
constexpr double kRoom = 1.2;
// A first share above this is hardly a first one.
constexpr std::uint32_t kFirstMostPercent = 50;
// Of the limit: what a sound site is assumed to show of bad ones.
constexpr double kUsualPart = 0.3;

// The first share that the engine would choose after a minute in which so many asked.
std::optional<double> FirstShareAt(const engine::PlanSpec& spec, double rps) {
  const absl::StatusOr<engine::Plan> plan = engine::Plan::Create(spec);
  if (!plan.ok()) return std::nullopt;
  engine::Evidence evidence;
  engine::Traffic& traffic = evidence.traffic["fleet"];
  double told = 0;
  for (int second = 1; second <= 60; ++second) {
    const double by_now = std::floor(rps * second);
    traffic.last = TimePoint(second * Duration(1'000));
    traffic.window.Add(traffic.last, {.total = static_cast<std::uint64_t>(by_now - told)});
    told = by_now;
  }
  const engine::Restoration restoration{.plan = *plan};
  return double(engine::FirstShare(restoration, evidence).ppm()) / Share::kPpmMax;
}

// More bad ones than this come in less than one case of twenty where so many are the mean.
double ManyBad(double mean) { return mean + 1.65 * std::sqrt(mean) + 0.5; }

// Whether a share that brings so many requests a second, a usual part of them bad, is proven within
// the time in nineteen cases of twenty: agents follow first, and chance may be against it.
bool IsProvenWithin(double limit, double rate, double seconds) {
  const int observed = ObservedAfterSeconds();
  const double total = rate * (SecondsOfTraffic(seconds) - SecondsOfTraffic(observed));
  const double ratio = std::min(ManyBad(kUsualPart * limit * total) / total, 1.0);
  engine::Sequential evidence(limit);
  for (int second = 1; second <= seconds; ++second) {
    const double now = rate * PartThatIsIn(second);
    const engine::Batch batch{.seconds = 1, .total = now, .bad = ratio * now};
    evidence.AddAgainst(batch, 0, false);
    if (second > observed) evidence.AddFor(batch);
  }
  return evidence.For() >= engine::kForNats;
}

// Unset: not within an hour.
std::optional<double> SecondsToProve(double limit, double rate) {
  double enough = kHour_s;
  double too_few = 1;
  if (!IsProvenWithin(limit, rate, enough)) return std::nullopt;
  while (enough - too_few > 1) {
    const double between = std::floor((enough + too_few) / 2);
    (IsProvenWithin(limit, rate, between) ? enough : too_few) = between;
  }
  return enough;
}

double MostSeconds(const engine::PlanSpec& plan) {
  return std::min(double(plan.bake_max.count()) / 1e3, kHour_s);
}

// The one whose proof takes longest: what helps it helps the others. Unset: none counts requests of
// the gate.
std::optional<Counted> StrictestCheck(const engine::PlanSpec& plan) {
  std::optional<Counted> strictest;
  for (const Counted& counted : CountedChecks(plan)) {
    if (counted.agents == nullptr) continue;
    if (!strictest || counted.limit() < strictest->limit()) strictest = counted;
  }
  return strictest;
}

// In whole percents, the least that is proven in time; none if not even half of the users are.
std::optional<std::uint32_t> PercentThatProves(double limit, double rps, double first,
                                               double most_s) {
  const auto more = static_cast<std::uint32_t>(std::floor(first * 100)) + 1;
  for (std::uint32_t percent = more; percent <= kFirstMostPercent; ++percent) {
    if (IsProvenWithin(limit, rps * percent / 100, most_s)) return percent;
  }
  return std::nullopt;
}

// In steps of a tenth.
std::optional<double> LimitThatProves(double limit, double rate, double most_s) {
  for (; limit <= kLimitMost; limit *= 1.1) {
    if (IsProvenWithin(limit, rate, most_s)) return limit;
  }
  return std::nullopt;
}

std::string Remedy(const engine::PlanSpec& plan, double limit, double rps, double first) {
  std::vector<std::string> ways;
  if (const auto seconds = SecondsToProve(limit, rps * first)) {
    ways.push_back(fmt::format("bake: {}..{}", FormatDuration(plan.bake_min),
                               TimeText(ReadableUp(*seconds * kRoom))));
  }
  if (const auto percent = PercentThatProves(limit, rps, first, MostSeconds(plan))) {
    ways.push_back(fmt::format("first: {}%", *percent));
  }
  const auto larger = LimitThatProves(limit, rps * first, MostSeconds(plan));
  if (ways.empty() && larger) ways.push_back("limit: " + LimitUp(*larger) + " or more");
  return ways.empty() ? "there is too little traffic for this check: leave it out" : Either(ways);
}

// A sample that no second has, and that nobody writes by leaving it out.
void AddNeverSevere(const engine::PlanSpec& plan, double rps, std::vector<Doubt>& doubts) {
  for (const Counted& counted : CountedChecks(plan)) {
    const std::uint64_t sample = counted.ratio->min_sample;
    const std::uint64_t usual = engine::RatioCheck{}.min_sample;
    if (counted.agents == nullptr || sample <= usual || double(sample) <= rps) continue;
    doubts.push_back(
        {counted.path + ".min_sample",
         fmt::format("with adaptive steps a newest second with so many requests takes users out at "
                     "once where it is grossly bad, and at {} requests/s none has {}: check {} "
                     "would never do that; write min_sample: {}, or leave it out",
                     PlainNumber(rps), sample, counted.check->name, usual)});
  }
}

}  // namespace

bool AdaptiveStepsAreProven(const engine::PlanSpec& plan, double rps) {
  const std::optional<Counted> strictest = StrictestCheck(plan);
  const std::optional<double> first = FirstShareAt(plan, rps);
  return !strictest || !first ||
         IsProvenWithin(strictest->limit(), rps * *first, MostSeconds(plan));
}

std::vector<Doubt> FindDoubtsOfAdaptiveSteps(const engine::PlanSpec& plan, double rps) {
  std::vector<Doubt> doubts;
  AddNeverSevere(plan, rps, doubts);
  if (AdaptiveStepsAreProven(plan, rps)) return doubts;
  const Counted strictest = *StrictestCheck(plan);
  const double first = *FirstShareAt(plan, rps);
  doubts.push_back(
      {"ramp.bake",
       fmt::format("at {} requests/s the first share of {} % brings {} a second: check {} has not "
                   "surely proven it within {} (agents take {} of that to follow), after which a "
                   "person is called; {}",
                   PlainNumber(rps), PlainNumber(first * 100), PlainNumber(rps * first, 2),
                   strictest.check->name, FormatDuration(plan.bake_max),
                   TimeText(ObservedAfterSeconds()), Remedy(plan, strictest.limit(), rps, first))});
  return doubts;
}

}  // namespace headgate::rehearsal
