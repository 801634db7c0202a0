// A trial of the engine by random events: a journal that answers when, and as, the events say,
// agents that obey or not, restarts at any point. It watches every action against the promises of
// the design and keeps the first that was broken. Single-threaded, deterministic.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "controller/engine/engine.h"

namespace headgate::engine {

// One thing that happens; what `amount` and `who` mean depends on the kind.
struct Happening {
  enum class Kind {
    kTimePasses,
    // Everything is well for a while: counts, readings, obedience, a journal that records.
    kCalm,
    kCounts,
    kLag,
    kDatabase,
    kAgentObeys,
    kAgentMisbehaves,
    kRecorded,
    kRecordFails,
    kOrder,
    kRestart,
    kReignLost,
  };
  Kind kind = Kind::kTimePasses;
  int amount = 0;
  int who = 0;
};
std::ostream& operator<<(std::ostream& out, const Happening& happening);

class Trial {
 public:
  static constexpr char kGate[] = "shop";

  explicit Trial(Plan plan);

  void Happen(const Happening& happening);

  // Empty while every promise holds.
  const std::string& broken() const { return broken_; }
  // How many raises and restarts there were: a trial without any proves little.
  int raises() const { return raises_; }
  int restarts() const { return restarts_; }

 private:
  struct Obedient {
    AgentView view;
    bool refuses = false;
  };

  void Feed(const Event& event);
  void Watch(const Event& event, const std::optional<Gate>& before, const Outcome& outcome);
  void WatchPublish(const Event& event, const std::optional<Gate>& before,
                    const Directive& directive);
  void WatchRaise(const Event& event, const Gate& before, const Directive& directive);
  void WatchStep(const Gate& before, const Directive& directive);
  void WatchState();
  void WatchCodec(const GateRecord& record);
  void WatchOrder(const Command& command, const Outcome& outcome);
  void Break(const std::string& promise);

  void Calm(int steps);
  void Answer(bool succeeds);
  void Restart(int durable);
  void Obey(int who);
  void Misbehave(int who, int how);
  void Count(int who, int how);
  void Measure(const std::string& source, decltype(Reading::value) value);
  void MeasureLag(int how);
  void LookAtDatabase(int how);
  void Do(int what, int how);
  void Report(int who);
  const Gate* gate() const;

  const Plan plan_;
  TimePoint now_;
  State state_;
  std::vector<Obedient> agents_;
  // Handed to the journal, oldest first; not answered yet.
  std::deque<Record> outstanding_;
  std::map<std::uint64_t, Record> handed_;
  std::vector<GateRecord> accepted_;
  std::optional<Directive> published_;
  Version newest_version_;
  std::uint64_t epoch_ = 1;
  std::uint64_t calls_ = 0;
  int raises_ = 0;
  int restarts_ = 0;
  std::string broken_;
};

}  // namespace headgate::engine
