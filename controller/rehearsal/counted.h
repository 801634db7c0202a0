// What a plan counts, and how much of it comes in the time after a step. Internal to the doubts.
#pragma once

#include <string>
#include <vector>

#include "controller/engine/plan.h"
#include "controller/engine/plan_limits.h"

namespace headgate::rehearsal {

// No time of a plan is longer, and no limit larger.
inline constexpr double kHour_s = double(engine::kHour.count()) / 1e3;
inline constexpr double kLimitMost = double(engine::kLimitPpmMax) / Share::kPpmMax;

// A check on a ratio.
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

std::vector<Counted> CountedChecks(const engine::PlanSpec& plan);

// Agents of a sound platform follow a step within seconds: from then on it can be proven.
int ObservedAfterSeconds();
// The part of the new users who are in at the end of this second after a step, counted from 1.
double PartThatIsIn(double second);
// What so many seconds after a step count, in seconds of its whole traffic.
double SecondsOfTraffic(double seconds);

// Three digits that count.
std::string Percent(double part);
// Whole percents, below 1 % hundredths; what a limit is may need more.
std::string PercentUp(double part);
std::string LimitUp(double part);
// Up to what a person would write: whole seconds, tens of them, minutes.
double ReadableUp(double seconds);
std::string TimeText(double seconds);
// "write A, or B".
std::string Either(const std::vector<std::string>& ways);

}  // namespace headgate::rehearsal
