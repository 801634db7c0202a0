// Between the rooms' values: what a plan wants followed, what a signal or an agent says in the
// engine's words. Thread-safe: no state.
#pragma once

#include <string>
#include <vector>

#include "controller/engine/event.h"
#include "controller/engine/plan.h"
#include "controller/fleet/fleet.h"
#include "controller/signals/signal.h"

namespace headgate::conductor {

// Named "<gate>/<check>" and "<gate>/database/<database>".
std::vector<signals::SignalSpec> SignalsOf(const engine::PlanSpec& plan,
                                           const std::string& default_prometheus_url);
engine::ReadingArrived ToEvent(const signals::Reading& reading);
engine::AgentView ToView(const fleet::Agent& agent, const fleet::GateReport& report, TimePoint now);
engine::CountsArrived ToEvent(const std::string& agent, const fleet::GateTotals& delta);

}  // namespace headgate::conductor
