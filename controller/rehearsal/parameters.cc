#include "controller/rehearsal/parameters.h"

#include <fmt/format.h>

#include <cmath>

#include "common/base/duration.h"
#include "common/base/share.h"

namespace headgate::rehearsal {
namespace {

constexpr double kDay = 86'400;
// Enough for any site that a rehearsal makes sense for, and far from where doubles lose counts.
constexpr double kRpsMax = 1e6;
constexpr double kUsersMax = 1e7;

constexpr Parameter<Scenario> kScenario[] = {
    {"onset", "at", Unit::kTime, 0, kDay, [](Scenario& s) -> double& { return s.onset.at_s; }},
    {"onset", "above", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.onset.above_share; }},

    {"site", "users", Unit::kNumber, 1, kUsersMax,
     [](Scenario& s) -> double& { return s.site.users; }},
    {"site", "rps", Unit::kNumber, 0.1, kRpsMax, [](Scenario& s) -> double& { return s.site.rps; }},
    {"site", "duration", Unit::kTime, 60, kDay,
     [](Scenario& s) -> double& { return s.site.duration_s; }},

    {"limits", "errors", Unit::kPercent, 0.0001, 0.5,
     [](Scenario& s) -> double& { return s.limits.errors; }},
    {"limits", "slow", Unit::kPercent, 0.0001, 0.5,
     [](Scenario& s) -> double& { return s.limits.slow; }},

    {"errors", "base", Unit::kPercent, 0, 1, [](Scenario& s) -> double& { return s.errors.base; }},
    {"errors", "sigma", Unit::kNumber, 0, 3, [](Scenario& s) -> double& { return s.errors.sigma; }},
    {"errors", "correlation", Unit::kTime, 1, 3'600,
     [](Scenario& s) -> double& { return s.errors.correlation_s; }},
    {"errors", "burst_every", Unit::kTime, 0, kDay,
     [](Scenario& s) -> double& { return s.errors.burst_every_s; }},
    {"errors", "burst_lasts", Unit::kTime, 1, 600,
     [](Scenario& s) -> double& { return s.errors.burst_lasts_s; }},
    {"errors", "burst_adds", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.errors.burst_ratio; }},

    {"failing_users", "part", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.failing_users.part; }},
    {"failing_users", "from", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.failing_users.from_share; }},
    {"failing_users", "to", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.failing_users.to_share; }},

    {"capacity", "base", Unit::kNumber, 0.01, 100,
     [](Scenario& s) -> double& { return s.capacity.base; }},
    {"capacity", "warm_adds", Unit::kNumber, 0, 100,
     [](Scenario& s) -> double& { return s.capacity.warm_adds; }},
    {"capacity", "cold", Unit::kNumber, 0, 100,
     [](Scenario& s) -> double& { return s.capacity.cold; }},
    {"capacity", "cold_until", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.capacity.cold_until; }},
    {"capacity", "swing", Unit::kPercent, 0, 0.9,
     [](Scenario& s) -> double& { return s.capacity.swing; }},
    {"capacity", "swing_every", Unit::kTime, 2, kDay,
     [](Scenario& s) -> double& { return s.capacity.swing_every_s; }},
    {"capacity", "leak_per_hour", Unit::kNumber, 0, 100,
     [](Scenario& s) -> double& { return s.capacity.leak_per_hour; }},

    {"cache", "warmth", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.cache.warmth; }},
    {"cache", "warms_in", Unit::kTime, 1, kDay,
     [](Scenario& s) -> double& { return s.cache.warms_s; }},

    {"newcomers", "cost", Unit::kNumber, 1, 100,
     [](Scenario& s) -> double& { return s.newcomers.cost; }},
    {"newcomers", "settle_in", Unit::kTime, 1, kDay,
     [](Scenario& s) -> double& { return s.newcomers.settle_s; }},
    {"newcomers", "forgotten_in", Unit::kTime, 1, kDay,
     [](Scenario& s) -> double& { return s.newcomers.forgotten_s; }},
    {"newcomers", "surge", Unit::kNumber, 1, 20,
     [](Scenario& s) -> double& { return s.newcomers.surge; }},
    {"newcomers", "surge_lasts", Unit::kTime, 1, kDay,
     [](Scenario& s) -> double& { return s.newcomers.surge_s; }},

    {"retries", "chance", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.retries.chance; }},
    {"retries", "times", Unit::kNumber, 0, 10,
     [](Scenario& s) -> double& { return s.retries.times; }},
    {"retries", "pace", Unit::kPercent, 0.01, 1,
     [](Scenario& s) -> double& { return s.retries.pace; }},

    {"queue", "holds", Unit::kTime, 1, 600, [](Scenario& s) -> double& { return s.queue.holds_s; }},
    {"queue", "patience", Unit::kTime, 0.1, 600,
     [](Scenario& s) -> double& { return s.queue.patience_s; }},
    {"queue", "gives_up", Unit::kTime, 0.2, 600,
     [](Scenario& s) -> double& { return s.queue.gives_up_s; }},

    {"latency", "p99", Unit::kTime, 0.001, 60,
     [](Scenario& s) -> double& { return s.latency.p99_s; }},
    {"latency", "slow_above", Unit::kTime, 0.001, 60,
     [](Scenario& s) -> double& { return s.latency.slow_above_s; }},

    {"agents", "rise", Unit::kPercent, 0.01, 1,
     [](Scenario& s) -> double& { return s.agents.rise; }},
    {"agents", "fall", Unit::kPercent, 0.01, 1,
     [](Scenario& s) -> double& { return s.agents.fall; }},
    {"agents", "ignoring", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.agents.ignoring; }},
    {"agents", "ignoring_from", Unit::kTime, 0, kDay,
     [](Scenario& s) -> double& { return s.agents.ignoring_from_s; }},
    {"agents", "ignoring_until", Unit::kTime, 0, kDay,
     [](Scenario& s) -> double& { return s.agents.ignoring_until_s; }},

    {"metrics", "delay", Unit::kTime, 0, 600,
     [](Scenario& s) -> double& { return s.metrics.delay_s; }},
    {"metrics", "errors_factor", Unit::kNumber, 0, 100,
     [](Scenario& s) -> double& { return s.metrics.errors_factor; }},
    {"metrics", "slow_factor", Unit::kNumber, 0, 100,
     [](Scenario& s) -> double& { return s.metrics.slow_factor; }},

    {"utilisation", "available", Unit::kFlag, 0, 1,
     [](Scenario& s) -> double& { return s.utilisation.available; }},
    {"utilisation", "noise", Unit::kPercent, 0, 1,
     [](Scenario& s) -> double& { return s.utilisation.noise; }},
    {"utilisation", "delay", Unit::kTime, 0, 600,
     [](Scenario& s) -> double& { return s.utilisation.delay_s; }},
    {"utilisation", "factor", Unit::kNumber, 0, 10,
     [](Scenario& s) -> double& { return s.utilisation.factor; }},
};

// Where a record keeps its Stretch.
Stretch& WhenOf(Stretch& stretch) { return stretch; }
template <typename Fault>
Stretch& WhenOf(Fault& fault) {
  return fault.when;
}

template <typename Record>
constexpr Parameter<Record> kFrom = {
    "", "from", Unit::kTime,
    0,  kDay,   [](Record& record) -> double& {
                                       return WhenOf(record).from_s; }};
template <typename Record>
constexpr Parameter<Record> kUntil = {
    "", "until", Unit::kTime,
    0,  kDay,    [](Record& record) -> double& {
                                        return WhenOf(record).until_s; }};
template <typename Record>
constexpr Parameter<Record> kEvery = {
    "", "every", Unit::kTime,
    1,  kDay,    [](Record& record) -> double& {
                                        return WhenOf(record).every_s; }};
template <typename Record>
constexpr Parameter<Record> kLasts = {
    "", "lasts", Unit::kTime,
    1,  kDay,    [](Record& record) -> double& {
                                        return WhenOf(record).lasts_s; }};

constexpr Parameter<ErrorFault> kErrorFault[] = {
    {"", "ratio", Unit::kPercent, 0, 1, [](ErrorFault& f) -> double& { return f.ratio; }},
    {"", "above", Unit::kPercent, 0, 1, [](ErrorFault& f) -> double& { return f.above_share; }},
    {"", "grows_in", Unit::kTime, 0, kDay, [](ErrorFault& f) -> double& { return f.grows_s; }},
    kFrom<ErrorFault>,
    kUntil<ErrorFault>,
    kEvery<ErrorFault>,
    kLasts<ErrorFault>,
};
constexpr Parameter<CapacityFault> kCapacityFault[] = {
    {"", "capacity", Unit::kNumber, 0.01, 100,
     [](CapacityFault& f) -> double& { return f.capacity; }},
    kFrom<CapacityFault>,
    kUntil<CapacityFault>,
    kEvery<CapacityFault>,
    kLasts<CapacityFault>,
};
constexpr Parameter<Stretch> kBlackout[] = {kFrom<Stretch>, kUntil<Stretch>, kEvery<Stretch>,
                                            kLasts<Stretch>};

}  // namespace

std::span<const Parameter<Scenario>> ScenarioParameters() { return kScenario; }
std::span<const Parameter<ErrorFault>> ErrorFaultParameters() { return kErrorFault; }
std::span<const Parameter<CapacityFault>> CapacityFaultParameters() { return kCapacityFault; }
std::span<const Parameter<Stretch>> BlackoutParameters() { return kBlackout; }

std::string FormatValue(double value, Unit unit) {
  if (std::isinf(value)) return "forever";
  switch (unit) {
    case Unit::kPercent:
      return FormatPpm(static_cast<std::uint64_t>(std::llround(value * 1e6)));
    case Unit::kTime:
      return FormatDuration(Duration(std::llround(value * 1e3)));
    case Unit::kNumber:
      return fmt::format("{}", value);
    case Unit::kFlag:
      return value > 0 ? "yes" : "no";
  }
  return "";
}

}  // namespace headgate::rehearsal
