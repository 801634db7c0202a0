#include "controller/rehearsal/doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/engine/plan_limits.h"
#include "controller/rehearsal/adaptive_doubts.h"
#include "controller/rehearsal/platform.h"

namespace headgate::rehearsal {
namespace {

// Three events expected and none seen has a chance of one in twenty (the rule of three).
constexpr double kTellingEvents = 3;
// A step that cannot tell twice the limit from the limit proves nothing.
constexpr double kTimesTheLimit = 2;
constexpr double kLimitMost = double(engine::kLimitPpmMax) / Share::kPpmMax;

struct Counted {
  std::string path;
  const engine::CheckSpec* check = nullptr;
  const engine::RatioCheck* ratio = nullptr;
  // Of the load balancers: its traffic is that of the gate.
  const engine::AgentRatio* agents = nullptr;

  double limit() const { return ratio->limit_ppm / 1e6; }
  double window_s() const { return double(ratio->window.count()) / 1e3; }
  bool counts_slow() const {
    return agents != nullptr && agents->metric == engine::AgentRatio::Metric::kSlowerThan;
  }
  bool counts_errors() const {
    return agents == nullptr || agents->metric == engine::AgentRatio::Metric::kHttp5xx;
  }
};

std::vector<Counted> CountedChecks(const engine::PlanSpec& plan) {
  std::vector<Counted> counted;
  for (std::size_t i = 0; i < plan.checks.size(); ++i) {
    const auto* ratio = std::get_if<engine::RatioCheck>(&plan.checks[i].kind);
    if (ratio == nullptr) continue;
    counted.push_back({.path = fmt::format("checks[{}]", i),
                       .check = &plan.checks[i],
                       .ratio = ratio,
                       .agents = std::get_if<engine::AgentRatio>(&ratio->source)});
  }
  return counted;
}

// A part of 1; none where the ramp chooses it by what it sees.
std::optional<double> FirstStep(const engine::PlanSpec& plan) {
  if (plan.steps.empty()) return std::nullopt;
  return double(plan.steps.front().ppm()) / Share::kPpmMax;
}

// A mean that falls short of the sample in one window of forty.
double MeanFor(double sample) { return sample + 2 * std::sqrt(sample); }

std::string PercentUp(double part) {
  const double percent = part >= 0.01 ? std::ceil(part * 100) : std::ceil(part * 1e4) / 100;
  return PlainNumber(percent) + " %";
}

// Up to what a person would write: whole seconds, tens of them, minutes.
std::string TimeUp(double seconds) {
  const double unit = seconds <= 30 ? 1 : seconds <= 120 ? 10 : 60;
  return FormatDuration(Duration(std::llround(std::ceil(seconds / unit) * unit * 1e3)));
}

// Three digits that count.
std::string Percent(double part) { return PlainNumber(part * 100, 3) + " %"; }

bool IsUnderAnHour(double seconds) { return seconds * 1e3 <= double(engine::kHour.count()); }

std::string Either(const std::vector<std::string>& ways) {
  std::string text;
  for (const std::string& way : ways) text += (text.empty() ? "write " : ", or ") + way;
  return text.empty() ? "there is too little traffic for this check: leave it out" : text;
}

void AddTooFew(const Counted& counted, double rps, double first, std::vector<Doubt>& doubts) {
  const double mean = rps * first * counted.window_s();
  const auto sample = double(counted.ratio->min_sample);
  if (mean >= MeanFor(sample)) return;
  std::vector<std::string> ways;
  const double window_s = MeanFor(sample) / (rps * first);
  if (IsUnderAnHour(window_s)) ways.push_back("window: " + TimeUp(window_s));
  const double share = MeanFor(sample) / (rps * counted.window_s());
  if (share <= 1) ways.push_back("a first step of " + PercentUp(share));
  doubts.push_back(
      {counted.path + ".min_sample",
       fmt::format("at {} requests/s the first step of {} brings about {:.0f} requests in a "
                   "window of {}, and check {} waits for {}: {}; {}",
                   PlainNumber(rps), Percent(first), mean, FormatDuration(counted.ratio->window),
                   counted.check->name, counted.ratio->min_sample,
                   mean < sample ? "the ramp would stay there" : "it would often have too few",
                   Either(ways))});
}

// What the step is judged on: at least its sample, then what comes while it bakes, at most a
// window.
double Judged(const Counted& counted, const engine::PlanSpec& plan, double rps, double first) {
  const double baked = rps * first * double(plan.bake_min.count()) / 1e3;
  return std::min(rps * first * counted.window_s(), double(counted.ratio->min_sample) + baked);
}

void AddProvesNothing(const Counted& counted, const engine::PlanSpec& plan, double rps,
                      double first, std::vector<Doubt>& doubts) {
  const double judged = Judged(counted, plan, rps, first);
  const double events = judged * kTimesTheLimit * counted.limit();
  if (events >= kTellingEvents) return;
  const double needed = kTellingEvents / kTimesTheLimit / counted.limit();
  const double span_s = needed / (rps * first);
  std::vector<std::string> ways;
  if (IsUnderAnHour(span_s)) {
    const bool fits = span_s * 1e3 <= double(plan.bake_max.count());
    const std::string bake = fmt::format("bake: {}..{}", TimeUp(span_s),
                                         fits ? FormatDuration(plan.bake_max) : TimeUp(2 * span_s));
    ways.push_back(span_s <= counted.window_s()
                       ? bake
                       : fmt::format("window: {} and {}", TimeUp(span_s), bake));
  }
  const double share = first * needed / judged;
  if (share <= 1) ways.push_back("a first step of " + PercentUp(share));
  doubts.push_back(
      {"ramp.bake",
       fmt::format("at {} requests/s the first step of {} is judged on about {:.0f} requests, in "
                   "which twice the limit of {} would give {:.1f} bad ones: too few to tell, so "
                   "that the step proves nothing for check {}; {}",
                   PlainNumber(rps), Percent(first), judged, Percent(counted.limit()), events,
                   counted.check->name, Either(ways))});
}

// Of the answers of a platform on which nothing is wrong and nothing waits.
double NormalRatio(const Counted& counted, const Scenario& scenario) {
  if (counted.counts_slow()) {
    return SlowRatio(scenario.latency, 0, 0) * scenario.metrics.slow_factor;
  }
  if (!counted.counts_errors()) return 0;
  return scenario.errors.base * scenario.metrics.errors_factor;
}

void AddNeverHealthy(const Counted& counted, const Scenario& scenario, bool is_adaptive,
                     std::vector<Doubt>& doubts) {
  const double normal = NormalRatio(counted, scenario);
  if (normal <= counted.limit()) return;
  doubts.push_back(
      {counted.path + ".limit",
       fmt::format(
           "check {} allows {}, and on platform {} ({}) {} are {} when nothing is wrong: "
           "{} there; {}",
           counted.check->name, Percent(counted.limit()), scenario.name, scenario.what,
           Percent(normal), counted.counts_slow() ? "slow" : "errors",
           is_adaptive ? "users would be taken out again and again" : "it would never be HEALTHY",
           kTimesTheLimit * normal <= kLimitMost
               ? fmt::format("write limit: {} or more", PercentUp(kTimesTheLimit * normal))
               : std::string("no limit can bear that: leave the check out, or mend what it "
                             "counts"))});
}

// The largest error ratio of the application; capacity troubles have none.
double WorstRatio(const Scenario& scenario) {
  double worst = std::max(scenario.errors.base, scenario.failing_users.part);
  for (const ErrorFault& fault : scenario.errors.faults) worst = std::max(worst, fault.ratio);
  return worst * scenario.metrics.errors_factor;
}

// Queries of a histogram may be a check on slow answers, and we cannot know.
bool MayCountTimes(const engine::PrometheusRatio& ratio) {
  constexpr std::string_view kHistogram = "_bucket";
  return ratio.bad.find(kHistogram) != std::string::npos ||
         ratio.total.find(kHistogram) != std::string::npos;
}

bool TellsOfLoad(const engine::CheckSpec& check) {
  if (std::holds_alternative<engine::ValueCheck>(check.kind)) return true;
  const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind);
  if (ratio == nullptr) return false;
  const auto* prometheus = std::get_if<engine::PrometheusRatio>(&ratio->source);
  return prometheus == nullptr ? std::get<engine::AgentRatio>(ratio->source).metric ==
                                     engine::AgentRatio::Metric::kSlowerThan
                               : MayCountTimes(*prometheus);
}

void AddBlindToLoad(const engine::PlanSpec& plan, std::vector<Doubt>& doubts) {
  const bool has_utilisation = (plan.adaptive && plan.adaptive->utilisation) ||
                               std::ranges::any_of(plan.databases, [](const auto& database) {
                                 return database.second.active_of > 0;
                               });
  if (has_utilisation || std::ranges::any_of(plan.checks, TellsOfLoad)) return;
  doubts.push_back({"checks",
                    "no check tells of load (slow answers, or a value such as a utilisation): "
                    "overload shows only when it has become errors; write one more, such as "
                    "{name: slow, ratio: agents.slower_than(500ms), limit: 1%}"});
}

}  // namespace

std::vector<Doubt> FindDoubts(const engine::PlanSpec& plan) {
  std::vector<Doubt> doubts;
  const Counted* longest = nullptr;
  const std::vector<Counted> all = CountedChecks(plan);
  for (const Counted& counted : all) {
    const bool is_longer = longest == nullptr || counted.ratio->window > longest->ratio->window;
    if (is_longer) longest = &counted;
  }
  if (longest != nullptr && plan.watch < longest->ratio->window) {
    doubts.push_back(
        {"then.watch",
         fmt::format("{} is shorter than the window of check {} ({}): it would be over before a "
                     "whole window has been counted at 100 %; write watch: {} or more",
                     FormatDuration(plan.watch), longest->check->name,
                     FormatDuration(longest->ratio->window),
                     FormatDuration(longest->ratio->window))});
  }
  AddBlindToLoad(plan, doubts);
  return doubts;
}

std::vector<Doubt> FindDoubtsOfTraffic(const engine::PlanSpec& plan, double rps) {
  std::vector<Doubt> doubts;
  const std::optional<double> first = FirstStep(plan);
  if (!first) return FindDoubtsOfAdaptiveSteps(plan, rps);
  for (const Counted& counted : CountedChecks(plan)) {
    // What a Prometheus counts is another traffic, and nobody has said which.
    if (counted.agents == nullptr) continue;
    std::vector<Doubt> found;
    AddTooFew(counted, rps, *first, found);
    // Where there is no sample it is no news that the sample proves nothing.
    if (found.empty()) AddProvesNothing(counted, plan, rps, *first, found);
    for (Doubt& doubt : found) {
      const bool is_known =
          std::ranges::any_of(doubts, [&](const Doubt& known) { return known.path == doubt.path; });
      if (!is_known) doubts.push_back(std::move(doubt));
    }
  }
  return doubts;
}

std::vector<Doubt> FindDoubtsOfPlatform(const engine::PlanSpec& plan, const Scenario& scenario) {
  std::vector<Doubt> doubts;
  const std::vector<Counted> all = CountedChecks(plan);
  if (scenario.kind == Kind::kBad) return doubts;
  for (const Counted& counted : all) {
    AddNeverHealthy(counted, scenario, plan.adaptive.has_value(), doubts);
  }
  return doubts;
}

std::vector<Doubt> FindBlindSpots(const engine::PlanSpec& plan,
                                  std::span<const Scenario> scenarios) {
  const std::vector<Counted> all = CountedChecks(plan);
  const Counted* strictest = nullptr;
  for (const Counted& counted : all) {
    if (!counted.counts_errors()) continue;
    const bool is_stricter = strictest == nullptr || counted.limit() < strictest->limit();
    if (is_stricter) strictest = &counted;
  }
  std::vector<std::string> blind;
  double least = 1;
  for (const Scenario& scenario : scenarios) {
    if (scenario.kind != Kind::kBad || !scenario.capacity.faults.empty()) continue;
    const double worst = WorstRatio(scenario);
    if (strictest != nullptr && strictest->limit() < worst) continue;
    blind.push_back(fmt::format("{} errs {}", scenario.name, Percent(worst)));
    least = std::min(least, worst);
  }
  if (blind.empty()) return {};
  const std::string who =
      fmt::format("platform{} {}", blind.size() > 1 ? "s" : "", fmt::join(blind, ", "));
  if (strictest == nullptr) {
    return {{"checks", fmt::format("no check counts errors, and {}: that is never found; write a "
                                   "check on agents.http_5xx with a limit below {}",
                                   who, Percent(least))}};
  }
  return {{strictest->path + ".limit",
           fmt::format("check {} allows {}, and {}: that is never found; write a limit below {}, "
                       "unless you would bear so many errors",
                       strictest->check->name, Percent(strictest->limit()), who, Percent(least))}};
}

double RpsNeeded(const engine::PlanSpec& plan) {
  const std::optional<double> first = FirstStep(plan);
  double needed = 0;
  if (!first) return RpsNeededByAdaptiveSteps(plan);
  for (const Counted& counted : CountedChecks(plan)) {
    if (counted.agents == nullptr) continue;
    const double for_sample =
        MeanFor(double(counted.ratio->min_sample)) / (*first * counted.window_s());
    const double telling = kTellingEvents / kTimesTheLimit / counted.limit();
    const double bake_s = double(plan.bake_min.count()) / 1e3;
    const double beyond_sample =
        std::max(telling - double(counted.ratio->min_sample), 0.0) / (*first * bake_s);
    const double for_window = telling / (*first * counted.window_s());
    needed = std::max({needed, for_sample, beyond_sample, for_window});
  }
  return std::ceil(needed);
}

std::vector<std::string> ChecksOfOtherTraffic(const engine::PlanSpec& plan) {
  std::vector<std::string> names;
  for (const Counted& counted : CountedChecks(plan)) {
    if (counted.agents != nullptr) return {};
    names.push_back(counted.check->name);
  }
  return names;
}

}  // namespace headgate::rehearsal
