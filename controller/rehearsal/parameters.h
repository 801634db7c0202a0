// Every parameter that a scenario file may set: the one table behind the parser, the errors and
// docs/SCENARIOS.md. Constant tables, readable from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "controller/rehearsal/scenario.h"

namespace headgate::rehearsal {

enum class Unit {
  // "0.5%", kept as .005.
  kPercent,
  // "10s", kept in seconds.
  kTime,
  // "1.3".
  kNumber,
  // "yes" or "no", kept as 1 or 0.
  kFlag,
};

// A key of a map, and the number in a `Record` that it sets.
template <typename Record>
struct Parameter {
  std::string_view section;
  std::string_view key;
  Unit unit;
  double least;
  double most;
  double& (*at)(Record&);
};

// Those of a scenario's sections, grouped by section.
std::span<const Parameter<Scenario>> ScenarioParameters();
// Those of an entry of errors.faults, capacity.faults and metrics.blackouts; without section.
std::span<const Parameter<ErrorFault>> ErrorFaultParameters();
std::span<const Parameter<CapacityFault>> CapacityFaultParameters();
std::span<const Parameter<Stretch>> BlackoutParameters();

// "0.5 %", "10s", "1.3", "yes"; "forever" for what has no end.
std::string FormatValue(double value, Unit unit);

}  // namespace headgate::rehearsal
