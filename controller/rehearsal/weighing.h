// Where a gate stands between the two decisions, on one scale, for pictures: how much of what a
// retreat needs has been seen, and how much of what a raise needs. Pure, any thread.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "controller/engine/state.h"

namespace headgate::rehearsal {

// Both are parts of 1, and at 1 the decision is taken.
struct Weighing {
  // Of the check that comes nearest to a retreat, and its name; empty if none speaks against.
  double against = 0;
  std::string check;
  // Of the time that the share must be clear; with adaptive steps, of the proof of the check that
  // is furthest from it.
  double in_favour = 0;
};

Weighing Weigh(const engine::Gate& gate, TimePoint now);

}  // namespace headgate::rehearsal
