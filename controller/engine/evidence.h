// Everything that is known about a gate right now and is not kept in the journal: agents, counts,
// readings. After a restart it is empty, and empty evidence is UNKNOWN. Owned by the engine's
// state.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "common/base/share.h"
#include "common/base/version.h"
#include "controller/engine/count_window.h"
#include "controller/engine/plan.h"
#include "controller/engine/weighing.h"

namespace headgate::engine {

// What an agent last said of one gate.
struct AgentView {
  enum class Stage { kIdle, kReceived, kApplied, kObserved, kRefused };
  std::string name;
  bool connected = false;
  Version version;
  Stage stage = Stage::kIdle;
  Share enforced;
  std::string admit_by;
  std::vector<std::uint32_t> slow_thresholds_ms;
  // For people; empty where there is none.
  std::string refusal;
  std::string local_override;
  friend bool operator==(const AgentView&, const AgentView&) = default;
};

// What one agent's load balancer counted since the push before.
struct Counts {
  std::uint64_t admitted = 0;
  std::uint64_t http_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t refused = 0;
  std::map<std::uint32_t, std::uint64_t> slower_than_ms;
};

struct NoData {
  std::string why;
};
struct Value {
  double value = 0;
};
struct DatabaseFinding {
  // In the order of badness.
  enum class Severity { kDegraded, kUnknown, kFailed };
  Severity severity = Severity::kUnknown;
  bool drains = false;
  std::string text;
};
struct DatabaseReport {
  std::vector<DatabaseFinding> findings;
  // For people; they change no verdict.
  std::vector<std::string> notes{};
  // What has not been looked at yet, and keeps users out who are not in; nobody else. Empty:
  // nothing.
  std::string pending{};
  // How far the comparison of rows is, in words; empty: there is none.
  std::string progress{};
  // Of the primary, where the plan makes them its utilisation.
  std::optional<std::int64_t> active_backends{};
};
// One measurement with the time at which it was true.
struct Reading {
  TimePoint observed_at;
  std::variant<NoData, Tally, Value, DatabaseReport> value;
};

// The counts of one check: in sum and per agent, over its window and over the newest second.
struct RatioEvidence {
  explicit RatioEvidence(Duration window) : sum(window), newest(kNewest) {}
  static constexpr Duration kNewest{1'000};

  CountWindow sum;
  CountWindow newest;
  std::map<std::string, CountWindow> by_agent;
  std::optional<TimePoint> last;
  // Counts of before were of another share.
  TimePoint counts_since;
  // That other share was larger: what went wrong there says nothing against this one.
  bool was_lowered = false;
  // Set by a reading that was no data, unset by the next good one.
  std::string no_data_why;
  // With adaptive steps only.
  std::optional<Weighed> weighed;
};

struct ValueEvidence {
  std::optional<Value> value;
  std::optional<TimePoint> last;
  std::string no_data_why;
  // Went beyond the soft bound and has not come back inside by the hysteresis.
  bool is_beyond_soft = false;
};

struct DatabaseEvidence {
  std::optional<DatabaseReport> report;
  OnDrift on_drift = OnDrift::kDrain;
  std::optional<TimePoint> last;
  std::string no_data_why;
};

// The requests that an agent carried, of the last known minute: its weight in the quorum.
struct Traffic {
  Traffic() : window(kSpan), recent(kRecent) {}
  static constexpr Duration kSpan{60'000};
  // What people are shown as its rate.
  static constexpr Duration kRecent{10'000};
  CountWindow window;
  CountWindow recent;
  TimePoint first;
  TimePoint last;
};

struct Evidence {
  std::map<std::string, AgentView> agents;
  std::map<std::string, Traffic> traffic;
  std::map<std::string, RatioEvidence> ratios;
  std::map<std::string, ValueEvidence> values;
  std::map<std::string, DatabaseEvidence> databases;
  // With adaptive steps only.
  Progress progress;
};

// Makes room for the checks of a plan and forgets every other one's.
void PrepareEvidence(Evidence& evidence, const PlanSpec& plan);
// Of an agent that obeys the gate no more.
void ForgetAgent(Evidence& evidence, const std::string& agent);
// What was counted at another share says nothing of this one.
void ForgetCounts(Evidence& evidence, TimePoint now, bool was_lowered);
// The share changed for the `change`th time: what was weighed of the one before ends.
void BeginShare(Evidence& evidence, Share before, std::uint32_t change, bool was_lowered);
// Enough time has passed, and something was counted, since the last batch.
bool IsBatchDue(const Evidence& evidence, TimePoint now);
// Weighs what was counted since the last batch, and returns the time that it covers; `is_observed`:
// the share is in force.
Duration WeighCounts(Evidence& evidence, Share share, bool is_observed, TimePoint now);
// A check on counts whose newest second is bad, or whose evidence against has reached the bar;
// empty if none.
std::string StillFailing(const Evidence& evidence, double bar);
// The source of ReadingArrived for AdaptiveSteps::utilisation; no check can be named so.
inline constexpr char kUtilisationSource[] = "ramp/utilisation";
// True also where the plan names none.
bool NamesAgent(const PlanSpec& plan, const std::string& agent);
// `plan`: of the running restoration, if any.
void AddCounts(Evidence& evidence, const PlanSpec* plan, const std::string& agent,
               const Counts& counts, TimePoint now);
// A window of Prometheus that began before the share rose can refute this share, and not speak for
// it: it is counted only where it is above the limit. One that began before the share was lowered
// says nothing at all. A reading older than the newest one is ignored, and a value that is no
// finite number is no data. `observed_at` must not be in the future, or it would stay fresh for too
// long. `source` is the name of a check, or "database/" and the name of a database. Others are
// ignored.
void AddReading(Evidence& evidence, const PlanSpec& plan, const std::string& source,
                const Reading& reading);
// Requests of the agent's last known minute.
std::uint64_t WeightOf(const Evidence& evidence, const std::string& agent);
// Of its last known ten seconds, admitted and refused, or as much of them as was counted.
double RequestsPerSecond(const Evidence& evidence, const std::string& agent);
// What users ask for in a second, admitted or refused, as far as it is known; else 0.
double DemandOf(const Evidence& evidence);

}  // namespace headgate::engine
