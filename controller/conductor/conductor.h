// The conductor: carries events to the engine and its actions to the journal, the fleet and the
// signals. A turn is: event -> engine -> actions, in their order. Everything here belongs to the
// loop's thread; others come in by Loop::Post. It decides nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "controller/conductor/codec.h"
#include "controller/conductor/metrics.h"
#include "controller/conductor/timeline.h"
#include "controller/conductor/waits.h"
#include "controller/engine/engine.h"
#include "controller/fleet/fleet.h"
#include "controller/journal/journal.h"
#include "controller/signals/signal.h"

namespace headgate::conductor {

// At most ten times a second each.
inline constexpr Duration kWatchPace{100};
// Who watches hears at least so often, changes or none.
inline constexpr Duration kWatchHeartbeat{1'000};
inline constexpr std::size_t kWatchersMax = 256;

// What a conductor leaves to the next one in the same process, where the journal could not take it.
struct Legacy {
  // Something may have been published under it.
  std::uint64_t epoch = 0;
  std::vector<engine::Inherited> unrecorded;
};

class Conductor {
 public:
  struct Dependencies {
    Loop& loop;
    // The loop's; may be read on any thread.
    const Clock& clock;
    Log& log;
    // Null: there is no usable journal, and nothing is ever raised.
    journal::Journal* journal = nullptr;
    // Why it is null.
    std::string journal_trouble{};
    ConductorMetrics& metrics;
    PlanFromSource plan_from_source;
    // Thread-safe and not blocking; the signals room's.
    std::function<void(std::vector<signals::SignalSpec>)> follow;
    std::function<void(const std::string& signal)> refresh;
    std::string default_prometheus_url;
    std::string controller_name;
    // The reign is above this epoch too: one that agents hold and the journal does not know.
    std::uint64_t adopted_epoch = 0;
    // Of the conductor before this one in the same process.
    Legacy legacy{};
  };

  explicit Conductor(Dependencies dependencies);

  // Before the loop runs. Folds the journal and begins the next reign. An error means lower-only:
  // the conductor goes on without the journal, says so everywhere, and raises nothing.
  absl::Status Recover();

  // Once the loop has ended.
  Legacy Leave() const;

  // --- Orders.
  void Do(engine::Command command, WaitFor wait_for, Duration wait_timeout,
          absl::AnyInvocable<void(Answer)> done);

  // Answers every call that waits (UNAVAILABLE), and every later one at once: before the servers
  // end, which wait for their calls.
  void EndCalls();
  // Servers are there again.
  void TakeCallsAgain() { has_ended_calls_ = false; }

  // --- What agents and signals say.
  absl::Status Connect(const std::string& agent, std::shared_ptr<fleet::Session> session,
                       fleet::Hello hello);
  void Disconnect(const std::string& agent, const fleet::Session* session);
  void Report(const std::string& agent, const fleet::Session* session, fleet::GateReport report);
  void Count(const std::string& agent, const fleet::Session* session,
             const fleet::CountersPush& push);
  void OnReading(const signals::Reading& reading);
  // It said more than it may, and is cut off.
  void CountFlood(const std::string& agent);

  // --- For those who look.
  const engine::State& state() const { return state_; }
  const fleet::Fleet& fleet() const { return fleet_; }
  const Timeline& timeline() const { return timeline_; }
  TimePoint now() const { return dependencies_.loop.Now(); }
  TimePoint started() const { return started_; }
  // Thread-safe.
  const Clock& clock() const { return dependencies_.clock; }
  // Calls `changed` after changes of the gate, paced, until Unwatch. 0: too many watch already.
  std::uint64_t Watch(const std::string& gate, std::function<void()> changed);
  void Unwatch(std::uint64_t watcher);

 private:
  struct Watcher {
    std::string gate;
    std::function<void()> changed;
    bool is_dirty = false;
    TimePoint told;
  };

  // Now, or after the present turn if it comes from within one.
  void Feed(engine::Event event);
  void TakeTurn(const engine::Event& event);
  void ForgetRemoved(const engine::Event& event);
  // Agents obey the parts that there are now.
  void RouteAgents();
  void CarryOut(engine::Action action);
  void CarryOut(const engine::Publish& action);
  void CarryOut(engine::Record action);
  void CarryOut(engine::Replied action);
  void CarryOut(engine::Told action);
  void OnAppended(const std::string& gate, std::uint64_t token,
                  const absl::StatusOr<std::uint64_t>& sequence, TimePoint handed);
  void TellEngineOfAgent(const std::string& agent);
  void FollowSignals();
  void ScheduleWake();
  void EverySecond();
  void PaceWatchers();
  void TellWatchers();
  void EveryRenewal();
  // For those who wait at that gate.
  void LookAhead(const std::string& name);
  absl::Status Replay();
  absl::Status BeginReign();
  bool IsClockBehind() const;
  // Unix seconds, so that a journal that was lost does not lock the operator out.
  std::uint64_t NextEpoch() const;

  const Dependencies dependencies_;
  const TimePoint started_;
  engine::State state_;
  std::deque<engine::Event> inbox_;
  bool is_in_turn_ = false;
  // Whether a reign was begun in the journal; without it nothing is appended.
  bool has_reign_ = false;
  std::uint64_t last_epoch_ = 0;
  // When the newest `open` that the journal has was ordered.
  TimePoint newest_open_;
  fleet::Fleet fleet_;
  Timeline timeline_;
  Waits waits_{started_};
  std::map<std::uint64_t, Wait> calls_;
  std::uint64_t next_call_ = 1;
  bool has_ended_calls_ = false;
  std::map<std::uint64_t, Watcher> watchers_;
  std::uint64_t next_watcher_ = 1;
  bool is_pacing_ = false;
  // By agent: what the engine was told that time alone may change.
  struct Told {
    bool is_connected = false;
    bool has_rival = false;
    friend bool operator==(const Told&, const Told&) = default;
  };
  std::map<std::string, Told> told_;
  std::vector<signals::SignalSpec> followed_;
  Loop::TimerId wake_timer_ = 0;
  TimePoint wake_at_;
};

}  // namespace headgate::conductor
