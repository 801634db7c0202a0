// The engine's state: for each gate what the journal keeps, what waits for the journal, and the
// evidence at hand. A value, owned by the conductor's loop.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/clock.h"
#include "controller/engine/evidence.h"
#include "controller/engine/record.h"

namespace headgate::engine {

// A raise that was decided and waits to be durable.
struct PendingRaise {
  std::uint64_t token = 0;
  TimePoint decided;
  GateRecord next;
  Cause cause;
  // The operator's `open`, and the creation of a gate, stand without evidence.
  bool needs_evidence = true;
};

struct Gate {
  // In force. While `recorded` is false the journal may be behind it, never ahead.
  GateRecord record;
  Cause cause;
  TimePoint changed;
  bool exists = true;
  std::optional<PendingRaise> pending;
  // The newest token that was handed to the journal, and whether it came back.
  std::uint64_t newest_token = 0;
  bool recorded = true;
  // While recording fails: when to try again, and the record that it is about, 0 if a new one.
  std::optional<TimePoint> record_again;
  std::uint64_t failed_token = 0;
  // Revisions never repeat within a reign, not even those of raises that were overtaken, and go on
  // from what the journal has of the reign before.
  std::uint64_t next_revision = 1;
  // The newest version of the reign before: an agent that reports a newer one of an older epoch
  // holds a lowering that was never recorded.
  Version recovered;
  // The reign before knew its agents: whoever it does not name was not there.
  bool knows_agents = false;
  // Those that it knew.
  std::set<std::string> recovered_agents;

  Evidence evidence;
  // Since when nothing has stood in the way of a raise; unset while something does.
  std::optional<TimePoint> clear_since;
  // Since when a check has had no data; unset while all have.
  std::optional<TimePoint> silent_since;
  // When the share last changed, and since when a lowering settles; unset once it has.
  TimePoint share_changed;
  std::optional<TimePoint> settling_since;
  // When the last lowering had settled: what failed before is no reason to lower once more.
  TimePoint settled;
  // When the evidence was last looked at.
  TimePoint looked;
  // A person was told that the present phase lasts too long.
  bool is_overdue = false;
  // The call of a start that waits for its preflight, 0 if none.
  std::uint64_t waiting_call = 0;
};

// A gate that is no more, until the journal has its last record.
struct Removal {
  std::uint64_t token = 0;
  GateRecord last;
  Cause cause;
  // When to try again; unset while the journal has yet to answer.
  std::optional<TimePoint> record_again;
};

struct State {
  std::map<std::string, Gate> gates;
  std::uint64_t epoch = 0;
  // Holds the journal's reign. Without it nothing is raised.
  bool leads = false;
  // Empty while the journal works.
  std::string journal_trouble;
  std::uint64_t next_token = 1;
  // By name. A removal that is never recorded would be undone by the next reign.
  std::map<std::string, Removal> removals;
  // Beyond those of removed gates: what has the same name later in this reign must be newer to
  // agents that are not back yet.
  std::uint64_t next_revision = 1;
  TimePoint last_turn;
};

}  // namespace headgate::engine
