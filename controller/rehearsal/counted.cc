#include "controller/rehearsal/counted.h"

#include <fmt/format.h>

#include <cmath>

#include "common/base/duration.h"
#include "common/base/number.h"
#include "controller/rehearsal/restorer.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {
namespace {

// What is left of the way after a second.
constexpr double kLeft = 1 - Scenario::Agents{}.rise;

}  // namespace

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

int ObservedAfterSeconds() {
  return static_cast<int>(std::ceil(std::log(1 - kFollowedUp) / std::log(kLeft)));
}

double PartThatIsIn(double second) { return 1 - std::pow(kLeft, second); }

double SecondsOfTraffic(double seconds) {
  return seconds - kLeft * (1 - std::pow(kLeft, seconds)) / (1 - kLeft);
}

std::string Percent(double part) { return PlainNumber(part * 100, 3) + " %"; }

std::string PercentUp(double part) {
  const double percent = part >= 0.01 ? std::ceil(part * 100) : std::ceil(part * 1e4) / 100;
  return PlainNumber(percent) + " %";
}

std::string LimitUp(double part) {
  constexpr double kPpmOfPercent = 1e4;
  if (part * kPpmOfPercent >= 1) return PercentUp(part);
  return PlainNumber(std::ceil(part * 1e6) / kPpmOfPercent) + " %";
}

double ReadableUp(double seconds) {
  const double unit = seconds <= 30 ? 1 : seconds <= 120 ? 10 : 60;
  return std::ceil(seconds / unit) * unit;
}

std::string TimeText(double seconds) {
  return FormatDuration(Duration(std::llround(seconds * 1e3)));
}

std::string Either(const std::vector<std::string>& ways) {
  std::string text;
  for (const std::string& way : ways) text += (text.empty() ? "write " : ", or ") + way;
  return text;
}

}  // namespace headgate::rehearsal
