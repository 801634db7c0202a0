// Tells, while `start` waits for its answer, what preflight waits for: once at the beginning, then
// whenever that changes. On the thread of the call; never blocks.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "cli/controller.h"
#include "cli/watch_stream.h"
#include "controller/engine/plan.h"

namespace headgate::cli {

class PreflightTeller {
 public:
  PreflightTeller(const Controller& controller, const engine::PlanSpec& plan, std::ostream& err)
      : controller_(controller), gate_(plan.gate), ready_for_(plan.ready_for), err_(err) {}

  void Look();

 private:
  void Tell(const v1::Gate& gate);

  const Controller& controller_;
  const std::string gate_;
  const Duration ready_for_;
  std::ostream& err_;
  std::optional<WatchStream> stream_;
  // What was said last, without its figures: ages and counts change at every look.
  std::optional<std::string> told_;
};

}  // namespace headgate::cli
