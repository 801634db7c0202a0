// From the conductor's state to the operators' schema. On the loop's thread; no state of its own.
#pragma once

#include <string>

#include "controller/conductor/conductor.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::api {

v1::Controller ViewController(const conductor::Conductor& conductor);
// `gate` must exist in the conductor's state.
v1::Gate ViewGate(const conductor::Conductor& conductor, const std::string& gate);
v1::ListTimelineResponse ViewTimeline(const conductor::Conductor& conductor,
                                      const std::string& gate, std::size_t limit);

}  // namespace headgate::api
