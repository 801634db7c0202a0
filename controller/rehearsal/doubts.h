// What keeps a valid plan from working: a sample that the traffic never gives, a bake in which
// nothing can be seen, a limit below what is normal. Warnings, with what to write instead; they
// refuse nothing. Pure functions, callable from any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "controller/engine/plan.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {

struct Doubt {
  // The YAML path of the field that it is about, as in engine::FieldError.
  std::string path;
  // What, value, bound, remedy; one line.
  std::string text;
  friend bool operator==(const Doubt&, const Doubt&) = default;
};

// Whatever the traffic is.
std::vector<Doubt> FindDoubts(const engine::PlanSpec& plan);
// More than this is no traffic of one gate: what it does not mend no traffic does.
inline constexpr double kRpsMost = 1'000'000;
// With so many requests a second at full share.
std::vector<Doubt> FindDoubtsOfTraffic(const engine::PlanSpec& plan, double rps);
// On such a platform; of a bad one there are none by itself.
std::vector<Doubt> FindDoubtsOfPlatform(const engine::PlanSpec& plan, const Scenario& scenario);

// The bad ones among these whose errors no check finds: at most one.
std::vector<Doubt> FindBlindSpots(const engine::PlanSpec& plan,
                                  std::span<const Scenario> scenarios);

// The least requests a second at full share with which FindDoubtsOfTraffic finds nothing; 0 if the
// plan counts no requests at its first step, kForever if none are enough.
double RpsNeeded(const engine::PlanSpec& plan);

// Its only ratios are Prometheus': what traffic they count is not known here, and may be less than
// the gate's. Their names, empty where the load balancers' counts are looked at too.
std::vector<std::string> ChecksOfOtherTraffic(const engine::PlanSpec& plan);

}  // namespace headgate::rehearsal
