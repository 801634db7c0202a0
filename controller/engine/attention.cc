#include "controller/engine/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/duration.h"
#include "controller/engine/adaptive.h"
#include "controller/engine/obstacles.h"
#include "controller/engine/situation.h"

namespace headgate::engine {

bool NeedsAPerson(const Gate& gate) {
  if (!gate.record.restoration) return false;
  const auto* holding = std::get_if<Holding>(&gate.record.restoration->phase);
  if (holding == nullptr) return gate.is_overdue;
  return holding->why != Holding::Why::kOperatorAsked && holding->why != Holding::Why::kRestarted;
}

void TellIfOverdue(Turn& turn, Gate& gate) {
  const Restoration& restoration = *gate.record.restoration;
  const auto* curing = std::get_if<Curing>(&restoration.phase);
  const auto* waiting = std::get_if<WaitingForApproval>(&restoration.phase);
  const bool is_asked = waiting != nullptr && restoration.approved < waiting->step;
  const bool is_step = curing != nullptr || std::holds_alternative<Admitting>(restoration.phase);
  if (gate.is_overdue || !(is_asked || is_step)) return;
  const TimePoint since = curing == nullptr ? restoration.phase_since
                                            : std::max(restoration.phase_since, curing->not_before);
  const Duration patience = restoration.plan.spec().bake_max;
  if (turn.now() - since < patience) return;
  std::string why = "nobody has approved the next step";
  if (is_step) {
    const std::vector<std::string> obstacles = Obstacles(turn.state(), gate, turn.now());
    if (obstacles.empty()) {
      if (curing != nullptr || !IsAdaptive(restoration)) return;
      const Course course = CourseOf(gate, turn.now());
      if (!course.is_braked) return;
      why = course.why;
    } else {
      why = obstacles.front();
      if (obstacles.size() > 1) why += fmt::format(", and {} more", obstacles.size() - 1);
    }
  }
  gate.is_overdue = true;
  turn.Tell(gate,
            fmt::format("{} at {} for longer than {}: {}", NameOf(restoration.phase),
                        gate.record.share.ToString(), FormatDuration(patience), why),
            true);
}

}  // namespace headgate::engine
