#include "controller/rehearsal/doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/plan_limits.h"
#include "controller/rehearsal/adaptive_doubts.h"
#include "controller/rehearsal/counted.h"
#include "controller/rehearsal/platform.h"
#include "controller/rehearsal/step_doubts.h"

namespace headgate::rehearsal {
namespace {

// What is normal may be doubled before it is too much.
constexpr double kTimesTheLimit = 2;

// Who bears as many as this bears everything.
constexpr double kNoLimit = 0.5;
constexpr double kRpsLeast = 0.01;
constexpr double kCloseEnough = 1.0005;

// How much of the platform everybody needs when nothing is wrong; nothing on one that moves, for it
// may not carry everybody.
double BusyWithAll(const Scenario& scenario) {
  if (scenario.kind != Kind::kBearable) return 0;
  return 1 / (scenario.capacity.base + scenario.capacity.warm_adds * scenario.cache.warmth);
}

// Of the answers of a platform on which nothing is wrong and nothing waits, at this share.
double NormalRatio(const Counted& counted, const Scenario& scenario, double share) {
  if (counted.counts_slow()) {
    return SlowRatio(scenario.latency, share * BusyWithAll(scenario), 0) *
           scenario.metrics.slow_factor;
  }
  if (!counted.counts_errors()) return 0;
  return scenario.errors.base * scenario.metrics.errors_factor;
}

std::string LimitAbove(double normal) {
  return kTimesTheLimit * normal <= kLimitMost
             ? fmt::format("write limit: {} or more", PercentUp(kTimesTheLimit * normal))
             : "no limit can bear that: leave the check out, or mend what it counts";
}

std::string NormallyText(const Counted& counted, const Scenario& scenario, double normal) {
  return fmt::format("on platform {} ({}) {} are {} when nothing is wrong", scenario.name,
                     scenario.what, Percent(normal), counted.counts_slow() ? "slow" : "errors");
}

void AddNeverHealthy(const Counted& counted, const Scenario& scenario, std::vector<Doubt>& doubts) {
  const double normal = NormalRatio(counted, scenario, 1);
  if (normal <= counted.limit()) return;
  doubts.push_back({counted.path + ".limit",
                    fmt::format("check {} allows {}, and {}: it would never be HEALTHY there; {}",
                                counted.check->name, Percent(counted.limit()),
                                NormallyText(counted, scenario, normal), LimitAbove(normal))});
}

// The same with adaptive steps, which slow answers brake before they fail.
void AddNeverProven(const Counted& counted, const engine::AdaptiveSteps& steps,
                    const Scenario& scenario, std::vector<Doubt>& doubts) {
  const double limit = counted.limit();
  const double brake = engine::kBrakePart * limit;
  const double least = NormalRatio(counted, scenario, 0);
  // The step to 100 % must not be braked.
  const double before_all =
      NormalRatio(counted, scenario, 1 - double(steps.step_max_ppm) / Share::kPpmMax);
  const bool fails = least > limit;
  const bool brakes = counted.counts_slow() && before_all > brake;
  if (!fails && !brakes) return;
  const std::string allows =
      fails ? fmt::format("check {} allows {}", counted.check->name, Percent(limit))
            : fmt::format("check {} allows {} and brakes from {} on", counted.check->name,
                          Percent(limit), Percent(brake));
  doubts.push_back(
      {counted.path + ".limit",
       fmt::format("{}, and {}: {} there; {}", allows,
                   NormallyText(counted, scenario, fails ? least : before_all),
                   fails ? "users would be taken out again and again" : "the share would not rise",
                   LimitAbove(NormalRatio(counted, scenario, 1)))});
}

void AddNeverIdleEnough(const engine::PlanSpec& plan, const Scenario& scenario,
                        std::vector<Doubt>& doubts) {
  if (!plan.adaptive || !plan.adaptive->utilisation || scenario.utilisation.available <= 0) return;
  const double limit = double(plan.adaptive->utilisation_limit_ppm) / Share::kPpmMax;
  const double busy = BusyWithAll(scenario) * scenario.utilisation.factor;
  if (busy <= limit) return;
  const double usual = double(engine::AdaptiveSteps{}.utilisation_limit_ppm) / Share::kPpmMax;
  doubts.push_back(
      {"ramp.utilisation_limit",
       fmt::format(
           "{} of the platform may be busy, and on platform {} ({}) everybody needs {}: the "
           "share would stay near {}; write utilisation_limit: {} or more{}",
           Percent(limit), scenario.name, scenario.what, Percent(busy), PercentUp(limit / busy),
           PercentUp(std::min(1.5 * busy, 1.0)),
           limit < usual ? fmt::format(", or leave it out ({})", Percent(usual)) : "")});
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

// How often a Prometheus is asked; nothing of what is counted here.
std::optional<Duration> EveryOf(const engine::CheckSpec& check) {
  if (const auto* value = std::get_if<engine::ValueCheck>(&check.kind)) return value->source.every;
  const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind);
  const auto* source =
      ratio == nullptr ? nullptr : std::get_if<engine::PrometheusRatio>(&ratio->source);
  return source == nullptr ? std::nullopt : std::optional(source->every);
}

// After a step a check waits for an answer that is newer, one on a ratio for the one after that:
// what was counted over the step itself is of two shares.
void AddAskedTooSeldom(const engine::PlanSpec& plan, std::vector<Doubt>& doubts) {
  for (std::size_t i = 0; i < plan.checks.size(); ++i) {
    const engine::CheckSpec& check = plan.checks[i];
    const std::optional<Duration> every = EveryOf(check);
    const bool is_ratio = std::holds_alternative<engine::RatioCheck>(check.kind);
    const int answers = is_ratio ? 2 : 1;
    const Duration observed(ObservedAfterSeconds() * 1'000);
    if (!every || answers * *every + observed <= plan.bake_max) continue;
    const Duration enough = answers * *every + 2 * observed;
    const double seldom_s = std::floor(double((plan.bake_max - observed).count()) / 1e3 / answers);
    doubts.push_back(
        {fmt::format("checks[{}]", i),
         fmt::format("check {} is asked for every {}, and {} after a step a person is called: {} "
                     "may not have come by then; write bake: {}..{}{}",
                     check.name, FormatDuration(*every), FormatDuration(plan.bake_max),
                     is_ratio ? "two answers" : "an answer", FormatDuration(plan.bake_min),
                     TimeText(ReadableUp(double(enough.count()) / 1e3)),
                     seldom_s >= 1 ? ", or every: " + TimeText(seldom_s) : "")});
  }
}

// A limit that half of all may go beyond.
void AddNoLimit(const std::vector<Counted>& all, std::vector<Doubt>& doubts) {
  for (const Counted& counted : all) {
    if (counted.limit() < kNoLimit) continue;
    doubts.push_back({counted.path + ".limit",
                      fmt::format("check {} allows {}: hardly any trouble would be found; write "
                                  "what you would not bear, such as 1%",
                                  counted.check->name, Percent(counted.limit()))});
  }
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

bool Suffices(const engine::PlanSpec& plan, double rps) {
  return plan.adaptive ? AdaptiveStepsAreProven(plan, rps) : StepsAreSeen(plan, rps);
}

// Tenths below ten.
double RpsUp(double rps) { return rps < 10 ? std::ceil(rps * 10) / 10 : std::ceil(rps); }

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
  AddAskedTooSeldom(plan, doubts);
  AddNoLimit(all, doubts);
  AddBlindToLoad(plan, doubts);
  return doubts;
}

std::vector<Doubt> FindDoubtsOfTraffic(const engine::PlanSpec& plan, double rps) {
  return plan.adaptive ? FindDoubtsOfAdaptiveSteps(plan, rps) : FindDoubtsOfSteps(plan, rps);
}

std::vector<Doubt> FindDoubtsOfPlatform(const engine::PlanSpec& plan, const Scenario& scenario) {
  std::vector<Doubt> doubts;
  const std::vector<Counted> all = CountedChecks(plan);
  if (scenario.kind == Kind::kBad) return doubts;
  for (const Counted& counted : all) {
    if (plan.adaptive) {
      AddNeverProven(counted, *plan.adaptive, scenario, doubts);
    } else {
      AddNeverHealthy(counted, scenario, doubts);
    }
  }
  AddNeverIdleEnough(plan, scenario, doubts);
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
  double enough = kRpsMost;
  double too_few = kRpsLeast;
  if (Suffices(plan, too_few)) return 0;
  if (!Suffices(plan, enough)) return kForever;
  while (enough > too_few * kCloseEnough) {
    const double between = std::sqrt(enough * too_few);
    (Suffices(plan, between) ? enough : too_few) = between;
  }
  // Which of them is the whole number is decided by less than was looked for.
  return Suffices(plan, RpsUp(too_few)) ? RpsUp(too_few) : RpsUp(enough);
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
