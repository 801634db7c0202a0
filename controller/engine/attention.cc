#include "controller/engine/attention.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/duration.h"

namespace headgate::engine {

bool NeedsAPerson(const Gate& gate) {
  if (!gate.record.restoration) return false;
  const auto* holding = std::get_if<Holding>(&gate.record.restoration->phase);
  if (holding == nullptr) return gate.is_overdue;
  return holding->why != Holding::Why::kOperatorAsked && holding->why != Holding::Why::kRestarted;
}

void TellIfOverdue(Turn& turn, Gate& gate, const std::vector<std::string>& obstacles) {
  const Restoration& restoration = *gate.record.restoration;
  const auto* curing = std::get_if<Curing>(&restoration.phase);
  const auto* waiting = std::get_if<WaitingForApproval>(&restoration.phase);
  const bool is_asked = waiting != nullptr && restoration.approved < waiting->step;
  const bool is_step = curing != nullptr || std::holds_alternative<Admitting>(restoration.phase);
  const bool is_stuck = is_asked || (is_step && !obstacles.empty());
  if (gate.is_overdue || !is_stuck) return;
  const TimePoint since = curing == nullptr ? restoration.phase_since
                                            : std::max(restoration.phase_since, curing->not_before);
  const Duration patience = restoration.plan.spec().bake_max;
  if (turn.now() - since < patience) return;
  gate.is_overdue = true;
  std::string why = "nobody has approved the next step";
  if (!is_asked) why = obstacles.front();
  if (!is_asked && obstacles.size() > 1) why += fmt::format(", and {} more", obstacles.size() - 1);
  turn.Tell(gate,
            fmt::format("{} at {} for longer than {}: {}", NameOf(restoration.phase),
                        gate.record.share.ToString(), FormatDuration(patience), why),
            true);
}

}  // namespace headgate::engine
