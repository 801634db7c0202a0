#include "controller/rehearsal/adaptive_doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/sequential.h"

namespace headgate::rehearsal {
namespace {

// What is told to write shall not be needed to the last second.
constexpr double kRoom = 1.5;
// A first share above this is hardly a first one.
constexpr std::uint32_t kFirstMostPercent = 50;
// Of the limit: what a sound site is assumed to show of bad ones.
constexpr double kUsualPart = 0.3;
constexpr double kRpsLeast = 0.01;
constexpr double kRpsMost = 1'000'000;
constexpr double kCloseEnough = 1.05;

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

// Until so many requests a second, a usual part of them bad, prove a share; unset: not within
// `most_s`.
std::optional<double> SecondsToProve(double limit, double rate, double most_s) {
  engine::Sequential evidence(limit);
  for (double second = 1; second <= most_s; ++second) {
    evidence.AddFor({.seconds = 1, .total = rate, .bad = kUsualPart * limit * rate});
    if (evidence.For() >= engine::kForNats) return second;
  }
  return std::nullopt;
}

std::string Whole(double seconds) {
  const double unit = seconds <= 120 ? 10 : 60;
  return FormatDuration(Duration(std::llround(std::ceil(seconds / unit) * unit * 1e3)));
}

// In whole percents, the least that is proven in time; none if not even half of the users are.
std::optional<std::uint32_t> PercentThatProves(double limit, double rps, double most_s) {
  for (std::uint32_t percent = 1; percent <= kFirstMostPercent; ++percent) {
    if (SecondsToProve(limit, rps * percent / 100, most_s / kRoom)) return percent;
  }
  return std::nullopt;
}

std::string Remedy(const engine::PlanSpec& plan, double limit, double rps, double rate) {
  const double hour_s = 3'600;
  const double most_s = double(plan.bake_max.count()) / 1e3;
  std::string text;
  if (const auto seconds = SecondsToProve(limit, rate, hour_s)) {
    text = fmt::format("bake: {}..{}", FormatDuration(plan.bake_min), Whole(*seconds * kRoom));
  }
  if (const auto percent = PercentThatProves(limit, rps, most_s)) {
    text += fmt::format("{}first: {}%", text.empty() ? "" : ", or ", *percent);
  }
  return text.empty() ? "there is too little traffic for this check: leave it out"
                      : "write " + text;
}

}  // namespace

std::vector<Doubt> FindDoubtsOfAdaptiveSteps(const engine::PlanSpec& plan, double rps) {
  const std::optional<double> first = FirstShareAt(plan, rps);
  if (!first) return {};
  const double rate = rps * *first;
  const double most_s = double(plan.bake_max.count()) / 1e3;
  for (const engine::CheckSpec& check : plan.checks) {
    if (engine::AgentRatioOf(check) == nullptr) continue;
    const double limit = std::get<engine::RatioCheck>(check.kind).limit_ppm / 1e6;
    if (SecondsToProve(limit, rate, most_s / kRoom)) continue;
    // The first one says enough: what helps it helps the others.
    return {
        {"ramp.bake",
         fmt::format("at {} requests/s the first share of {} % brings {} a second, too few "
                     "for check {} to surely prove it within {}, after which a person is called; "
                     "{}",
                     PlainNumber(rps), PlainNumber(*first * 100), PlainNumber(rate, 2), check.name,
                     FormatDuration(plan.bake_max), Remedy(plan, limit, rps, rate))}};
  }
  return {};
}

double RpsNeededByAdaptiveSteps(const engine::PlanSpec& plan) {
  double enough = kRpsMost;
  double too_few = kRpsLeast;
  if (FindDoubtsOfAdaptiveSteps(plan, too_few).empty()) return 0;
  if (!FindDoubtsOfAdaptiveSteps(plan, enough).empty()) return kForever;
  while (enough > too_few * kCloseEnough) {
    const double between = std::sqrt(enough * too_few);
    (FindDoubtsOfAdaptiveSteps(plan, between).empty() ? enough : too_few) = between;
  }
  return enough;
}

}  // namespace headgate::rehearsal
