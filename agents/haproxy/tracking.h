// Which gates of one agent stand in one another's way in one frontend of HAProxy. What is slow,
// bypassed or a new cookie is counted by way of a tracking slot, of which a request has three; and
// each gate signs its cookie with keys of its own. Any thread; takes a second at most for each
// gate.
#pragma once

#include <string>
#include <vector>

#include "agents/haproxy/haproxy.h"

namespace headgate::haproxy {

// HAProxy's own: sc0 to sc2.
inline constexpr int kTrackSlots = 3;

// One finding for each pair of gates that have one slot, or one cookie, in one frontend, as their
// probes' answers tell, with what to do. A gate that does not answer, or whose snippet is of
// before, is left out.
std::vector<std::string> InOneAnothersWay(const std::vector<Settings>& gates);

// Whether it is HAProxy's rule that answers the gate's probe: another load balancer's of the same
// gate, at which `probe_url` may point, knows of no slot.
bool IsAnsweredByHaproxy(const Settings& gate);

}  // namespace headgate::haproxy
