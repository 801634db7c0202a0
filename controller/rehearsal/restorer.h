// The real engine on a rehearsed platform, in virtual time: what a controller would decide from
// what can be seen. It stands for everything around the engine that a restoration needs: a journal
// that answers, one agent for the whole fleet, sound databases and values, and a person who
// approves. Preflight is over before the first second of the run. One thread at a time; no clock,
// no I/O; the same Seen give the same decisions.
//
// Checks of Prometheus on ratios are fed with the errors of all requests, in windows of their own;
// those on values and databases are HEALTHY for as long as there is any data.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/share.h"
#include "controller/engine/engine.h"
#include "controller/engine/explain.h"
#include "controller/rehearsal/platform.h"

namespace headgate::rehearsal {

// A step up is in force when the effective share has gone this part of the way: agents obey at
// once, but those who are let in come one by one.
inline constexpr double kFollowedUp = 0.5;

struct RestorerOptions {
  // Requests a second at full share: those who are out ask too, and are counted as refused.
  double rps = 2'000;
  // What the journal takes to record a decision.
  Duration record_delay{0};
  // How often the counts of a second are told and time is looked at: 1, 2 or 4 (as agents do). The
  // platform moves once a second, so that more often costs time and changes little.
  int turns_per_second = 1;
  bool sees_utilisation = true;
  // When a person resumes a restoration that asks for one; unset: nobody comes.
  std::optional<Duration> resumed_after;
};

// A change of the share or of the phase, and why.
struct Decision {
  // Since the first users were let in; below 0 in preflight.
  double at_s = 0;
  Share from;
  Share to;
  // "ADMITTING", …
  std::string phase;
  engine::Cause cause;
  // It lowers the share because of a check.
  bool is_retreat = false;
};

// A person is called.
struct Call {
  double at_s = 0;
  std::string why;
};

class Restorer {
 public:
  Restorer(const engine::Plan& plan, const RestorerOptions& options);

  // The share to command from now on. Called once at 0 s with nothing seen, then at the end of each
  // second.
  Share Decide(const Seen& seen);
  // Whether the last Decide lowered the share because of a check.
  bool RetreatedNow() const { return retreated_now_; }

  // What the gate is doing and waits for. Costs more than a second does: ask where it is shown.
  engine::Explanation Explain() const;
  // Since the start, oldest first.
  const std::vector<Decision>& decisions() const { return decisions_; }
  // A person must look, as headgate_gate_needs_a_person tells (engine::NeedsAPerson).
  bool AsksForAPerson() const;
  // The first time that one was called; none: never.
  const std::optional<Call>& first_call() const { return first_call_; }
  // The check that took users out last, with its value; empty: none did.
  std::string LastFailure() const;
  bool HasEnded() const;
  const engine::Gate& gate() const;
  TimePoint now() const { return now_; }

 private:
  struct Due {
    TimePoint at;
    std::uint64_t token = 0;
  };

  void Prepare(const engine::Plan& plan);
  // Until `end`, with what was seen by then.
  void LiveUntil(TimePoint end, const Seen& seen);
  // What time alone brings before `to`.
  void RunUntil(TimePoint to);
  void Feed(const engine::Event& event);
  void Order(engine::Order order);
  void Note(const engine::Gate& gate, Share before, std::size_t phase_before);
  void CarryOut(const engine::Action& action);
  // The person beside it.
  void Attend();
  // No evidence ends its hold.
  bool HoldsForAPerson() const;
  std::string WhyAPerson() const;

  void ReportAgent(Share applied);
  void PushCounts(const Seen& seen, int turn);
  void TakeReadings(const Seen& seen);
  void ReadPrometheus(const engine::CheckSpec& check);
  void TellUtilisation(const Seen& seen);

  const RestorerOptions options_;
  const engine::Plan plan_;
  std::set<std::uint32_t> thresholds_ms_;
  TimePoint now_;
  TimePoint began_;
  engine::State state_;
  // Of the journal, in the order of their times.
  std::deque<Due> recording_;
  std::vector<Decision> decisions_;
  bool retreated_now_ = false;
  std::optional<TimePoint> resumed_at_;
  // What was told last to a person who must look.
  std::string paged_;
  std::optional<Call> first_call_;

  // What the agents were told last, and the share that they came from.
  Directive directive_;
  Share came_from_;
  bool is_observed_ = false;
  // Of each Prometheus check: when it is read next, and what was counted since it was read last.
  std::map<std::string, TimePoint> next_read_;
  std::map<std::string, engine::Tally> since_read_;
  // Who asked and was refused, not counted yet: less than one.
  double refused_ = 0;
};

}  // namespace headgate::rehearsal
