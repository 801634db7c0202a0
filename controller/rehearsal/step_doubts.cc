#include "controller/rehearsal/step_doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "common/base/number.h"
#include "controller/engine/plan_limits.h"
#include "controller/rehearsal/counted.h"

namespace headgate::rehearsal {
namespace {

// Three events expected and none seen has a chance of one in twenty (the rule of three).
constexpr double kTellingEvents = 3;
// A step that cannot tell twice the limit from the limit proves nothing.
constexpr double kTimesTheLimit = 2;
// That a step has too few in one of its windows.
constexpr double kChanceMost = 1.0 / 40;
// A first step above this is hardly a first one.
constexpr std::uint32_t kFirstMostPpm = 500'000;
constexpr std::uint32_t kPercentPpm = 10'000;

// What decides how much the first step shows to a check.
struct Step {
  double rps = 0;
  std::uint32_t first_ppm = 0;
  double window_s = 0;
  double sample = 0;
  double limit = 0;
  double bake_min_s = 0;
  double bake_max_s = 0;
  // At 100 %: a whole window is counted in it.
  double watch_s = 0;

  double first() const { return double(first_ppm) / Share::kPpmMax; }
  double rate() const { return rps * first(); }
};

Step StepOf(const Counted& counted, const engine::PlanSpec& plan, double rps) {
  return {.rps = rps,
          .first_ppm = plan.steps.front().ppm(),
          .window_s = counted.window_s(),
          .sample = double(counted.ratio->min_sample),
          .limit = counted.limit(),
          .bake_min_s = double(plan.bake_min.count()) / 1e3,
          .bake_max_s = double(plan.bake_max.count()) / 1e3,
          .watch_s = double(plan.watch.count()) / 1e3};
}

// At most the chance that a window which holds `mean` in the mean falls short of its sample at the
// beginning of a span of so many windows, or within it: of a Poisson process, by the geometric
// bound of its lower tail, and by the mean number of times that the sliding count leaves the
// sample.
double ChanceOfTooFew(double mean, double sample, double windows) {
  if (mean <= sample) return 1;
  const double exactly = std::exp(sample - mean - sample * std::log(sample / mean)) /
                         std::sqrt(2 * std::numbers::pi * sample);
  return sample * exactly * (1 / (mean - sample) + windows);
}

// What has been counted when a person is called, at most a window.
double CountedInTime(const Step& step) {
  return step.rate() * std::min(step.window_s, SecondsOfTraffic(step.bake_max_s));
}

// A second later a person is called at the earliest.
bool IsFollowedInTime(const Step& step) { return step.bake_max_s > ObservedAfterSeconds() + 1; }

// It comes in time, and stays while the step bakes.
bool HasSample(const Step& step) {
  if (!IsFollowedInTime(step)) return false;
  if (ChanceOfTooFew(CountedInTime(step), step.sample, 0) > kChanceMost) return false;
  return ChanceOfTooFew(step.rate() * step.window_s, step.sample,
                        step.bake_min_s / step.window_s) <= kChanceMost;
}

// What the step is judged on: at least its sample, then what comes while it bakes, at most a
// window.
double Judged(const Step& step) {
  return std::min(step.rate() * step.window_s, step.sample + step.rate() * step.bake_min_s);
}

// One digit, or those that count.
std::string FewText(double events) {
  return events < 0.1 ? PlainNumber(events, 1) : fmt::format("{:.1f}", events);
}

double BadOnesAtTwice(const Step& step) { return Judged(step) * kTimesTheLimit * step.limit; }

bool Tells(const Step& step) { return BadOnesAtTwice(step) >= kTellingEvents; }

bool Suffices(const Step& step) { return HasSample(step) && Tells(step); }

std::string TimesText(const Step& before, const Step& after) {
  std::vector<std::string> parts;
  if (after.window_s != before.window_s) parts.push_back("window: " + TimeText(after.window_s));
  if (after.bake_min_s != before.bake_min_s || after.bake_max_s != before.bake_max_s) {
    parts.push_back(
        fmt::format("bake: {}..{}", TimeText(after.bake_min_s), TimeText(after.bake_max_s)));
  }
  if (after.window_s > before.window_s && after.window_s > after.watch_s) {
    parts.push_back("watch: " + TimeText(after.window_s));
  }
  return fmt::format("{}", fmt::join(parts, " and "));
}

// The least change of window and bake that is enough: fewer keys first, then shorter times.
std::optional<std::string> WayOfTimes(const Step& step) {
  const auto longer = [&](double window_s, double bake_min_s, double bake_max_s) {
    Step changed = step;
    changed.window_s = std::max(step.window_s, window_s);
    changed.bake_min_s = std::max(step.bake_min_s, bake_min_s);
    changed.bake_max_s = std::max(step.bake_max_s, bake_max_s);
    return changed;
  };
  using Change = Step (*)(const decltype(longer)& longer, double time_s);
  constexpr Change kChanges[] = {
      [](const auto& by, double time_s) { return by(time_s, 0, 0); },
      [](const auto& by, double time_s) { return by(0, 0, time_s); },
      [](const auto& by, double time_s) { return by(0, time_s, ReadableUp(2 * time_s)); },
      [](const auto& by, double time_s) { return by(time_s, 0, ReadableUp(2 * time_s)); },
      [](const auto& by, double time_s) { return by(time_s, time_s, ReadableUp(2 * time_s)); }};
  for (const Change change : kChanges) {
    for (double time_s = 1; time_s <= kHour_s; time_s = ReadableUp(time_s + 1)) {
      const Step changed = change(longer, time_s);
      if (Suffices(changed)) return TimesText(step, changed);
    }
  }
  return std::nullopt;
}

std::optional<std::string> WayOfShare(const Step& step) {
  Step larger = step;
  const auto unit = [](std::uint32_t ppm) { return ppm < kPercentPpm ? 100U : kPercentPpm; };
  for (std::uint32_t ppm = unit(0); ppm <= kFirstMostPpm; ppm += unit(ppm)) {
    larger.first_ppm = ppm;
    if (ppm > step.first_ppm && Suffices(larger)) {
      return "a first step of " + PercentUp(larger.first());
    }
  }
  return std::nullopt;
}

// Down to two digits; none where the sample is not what is wrong, or none is small enough.
std::optional<Step> WithSmallerSample(const Step& step, bool (*is_enough)(const Step& step)) {
  if (HasSample(step)) return std::nullopt;
  Step smaller = step;
  while (smaller.sample > 1) {
    const double unit = std::pow(10, std::max(std::floor(std::log10(smaller.sample - 1)) - 1, 0.0));
    smaller.sample = std::ceil(smaller.sample / unit - 1) * unit;
    if (is_enough(smaller)) return smaller;
  }
  return std::nullopt;
}

std::string SampleText(const Step& step) { return fmt::format("min_sample: {:.0f}", step.sample); }

std::optional<std::string> WayOfSample(const Step& step) {
  const std::optional<Step> smaller = WithSmallerSample(step, Suffices);
  return smaller ? std::optional(SampleText(*smaller)) : std::nullopt;
}

std::optional<std::string> WayOfLimit(const Step& step) {
  const double limit = kTellingEvents / kTimesTheLimit / Judged(step);
  if (!HasSample(step) || limit > kLimitMost) return std::nullopt;
  return "limit: " + LimitUp(limit) + " or more";
}

// To bear more is the last that is asked of anybody.
std::optional<std::string> WayOfBoth(const Step& step) {
  const std::optional<Step> smaller = WithSmallerSample(step, HasSample);
  const std::optional<std::string> limit = smaller ? WayOfLimit(*smaller) : WayOfLimit(step);
  if (!limit || !smaller) return limit;
  return SampleText(*smaller) + " and " + *limit;
}

std::string Remedy(const Step& step) {
  std::vector<std::string> ways;
  for (const auto& way : {WayOfTimes(step), WayOfShare(step), WayOfSample(step)}) {
    if (way) ways.push_back(*way);
  }
  const std::optional<std::string> last = ways.empty() ? WayOfBoth(step) : std::nullopt;
  if (last) ways.push_back(*last);
  return ways.empty() ? "there is too little traffic for this check: leave it out" : Either(ways);
}

std::string WhatComesOf(const Step& step) {
  if (!IsFollowedInTime(step)) return "agents may not have followed the step by then";
  return CountedInTime(step) < step.sample ? "the ramp would stay there"
                                           : "it would often have too few";
}

Doubt TooFew(const Counted& counted, const Step& step) {
  const bool is_late = SecondsOfTraffic(step.bake_max_s) < step.window_s;
  return {
      counted.path + ".min_sample",
      fmt::format("at {} requests/s the first step of {} brings about {:.0f} requests in {}, "
                  "and check {} waits for {}: {}; {}",
                  PlainNumber(step.rps), Percent(step.first()), CountedInTime(step),
                  is_late ? TimeText(step.bake_max_s) + ", after which a person is called"
                          : "a window of " + TimeText(step.window_s),
                  counted.check->name, counted.ratio->min_sample, WhatComesOf(step), Remedy(step))};
}

Doubt ProvesNothing(const Counted& counted, const Step& step) {
  return {
      "ramp.bake",
      fmt::format("at {} requests/s the first step of {} is judged on about {:.0f} requests, in "
                  "which twice the limit of {} would give {} bad ones: too few to tell, so "
                  "that the step proves nothing for check {}; {}",
                  PlainNumber(step.rps), Percent(step.first()), Judged(step), Percent(step.limit),
                  FewText(BadOnesAtTwice(step)), counted.check->name, Remedy(step))};
}

}  // namespace

std::vector<Doubt> FindDoubtsOfSteps(const engine::PlanSpec& plan, double rps) {
  std::vector<Doubt> doubts;
  for (const Counted& counted : CountedChecks(plan)) {
    // What a Prometheus counts is another traffic, and nobody has said which.
    if (counted.agents == nullptr) continue;
    const Step step = StepOf(counted, plan, rps);
    if (!HasSample(step)) {
      // That the sample proves nothing is no news; what is told to write mends that too.
      doubts.push_back(TooFew(counted, step));
    } else if (!Tells(step)) {
      doubts.push_back(ProvesNothing(counted, step));
    }
  }
  return doubts;
}

bool StepsAreSeen(const engine::PlanSpec& plan, double rps) {
  const std::vector<Counted> all = CountedChecks(plan);
  return std::ranges::all_of(all, [&](const Counted& counted) {
    return counted.agents == nullptr || Suffices(StepOf(counted, plan, rps));
  });
}

}  // namespace headgate::rehearsal
