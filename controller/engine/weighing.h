// What adaptive steps have learned of the share in force from what was counted at it: sequential
// evidence for each check on counts, and the clocks that run only while there are data. Owned by
// the gate's Evidence, forgotten by a restart. Values; time is a parameter.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/share.h"
#include "controller/engine/sequential.h"

namespace headgate::engine {

// Counts of agents that arrive within this are one batch: each pushes at a moment of its own.
inline constexpr Duration kBatchLeast{250};
// Agents that were silent for longer counted nobody knows when.
inline constexpr Duration kBatchMost{3'000};
// From the moment a step is in force, answers to those of before are still on their way.
inline constexpr Duration kAnswersUnderWay{1'000};
// A lowering that some agent does not confirm is judged all the same, from here on: lowering waits
// for nobody.
inline constexpr Duration kUnconfirmedMax{5'000};
// Evidence for a share that is older than this is forgotten: it is not fresh any more.
inline constexpr Duration kEvidenceFresh{5'000};
// Counts that come later than this are not waited for.
inline constexpr Duration kCountsLagMax{30'000};

// One check on counts.
struct Weighed {
  // `against_bar`: from which on the evidence of one agent alone forbids raising.
  Weighed(double ratio_limit, double against_bar)
      : limit(ratio_limit), bar(against_bar), evidence(limit), recent(10) {}

  // Pieces of at most a second. `speaks_for`: counted wholly at the share that is to be proven.
  void Add(const Batch& batch, bool is_steady, bool speaks_for);
  // What agents counted, one by one and in sum.
  void Count(const std::string& agent, double total, double bad);
  // A batch of it; the others' while nobody is in, or the share is not in force, say nothing.
  void WeighOpen(double seconds, bool is_steady, bool speaks_for);
  void DropOpen();
  void OnRaised(double mass);
  void OnLowered(double mass);
  // Part of bad ones in the newest seconds; 0 without any.
  double Ratio(double seconds) const;

  double limit;
  double bar;
  // Else of Prometheus, and weighed when a window comes.
  bool is_of_agents = true;
  Sequential evidence;
  Trailing recent;
  // What agents counted since the last batch.
  Batch open{.seconds = 0};
  // The same of each agent alone: a broken load balancer must not drown in the sum.
  struct OfAgent {
    OfAgent(double limit, double bar) : evidence(limit, bar) {}
    Sequential evidence;
    Batch open{.seconds = 0};
  };
  std::map<std::string, OfAgent> agents;
};

// How busy the database is, a part of 1, measured at the share in force.
struct Utilisation {
  std::optional<double> value;
  TimePoint last;
  // Of the share before this one, for the slope; no share: not known.
  double value_before = 0;
  Share share_before;
};

struct Progress {
  // End of the last batch; whether anything was counted since, and how many requests.
  TimePoint weighed_at;
  bool has_open = false;
  std::uint64_t open_requests = 0;
  // With data: since the share changed, and since it is in force.
  Duration since_change{0};
  Duration since_observed{0};
  // Since what is counted tells against the share: it is in force, or should have been long ago.
  Duration since_judged{0};
  // Unset until the share is in force.
  std::optional<TimePoint> observed_at;
  // By how much counts come late, told by the first ones after everybody was out.
  Duration counts_lag{0};
  bool awaits_first = false;
  bool was_lowered = false;
  // With data, while a check goes on failing although users were taken out.
  Duration bad_in_cure{0};
  // What users ask for in a second, at full share; 0: not known.
  double demand_rps = 0;
  Utilisation utilisation;
};

// The prior probability that it goes bad in a second, and at the `change`th change of the share.
// docs/JUDGEMENT.md says what they add up to.
inline constexpr double kMassPerSecond = 0.4 / 3600;
double MassOfChange(std::uint32_t change);

}  // namespace headgate::engine
