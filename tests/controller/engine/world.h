// A small world around the engine, in virtual time: a journal that can fail, hang or fall silent,
// agents that obey, refuse, lag or are overridden, users who ask, and measurements that are taken
// again every second. Single-threaded and deterministic; for scenarios.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/engine/engine.h"

namespace headgate::engine {

// The journal: what it accepted survives a restart of the controller.
struct FakeJournal {
  enum class Mode {
    kWorks,
    kFails,
    // Accepts nothing and answers nothing until it works again; then all of it, in order.
    kHangs,
    // Accepts, and never answers: what was handed in is durable and nobody knows.
    kMute,
  };
  Mode mode = Mode::kWorks;
  Duration takes{10};
  std::vector<GateRecord> accepted;
  std::vector<Record> hanging;
};

// An agent and the load balancer that it makes obey.
struct FakeAgent {
  AgentView view;
  bool counts = true;
  Duration obeys_after{200};
  // Set: refuses every directive, and says so.
  std::string refuses;
  // Its part of the users, against the other agents' parts.
  std::uint64_t weight = 1;
  // Set: errors of its own, instead of the shop's.
  std::optional<double> error_ratio;
  // What the divisions of the traffic left over, so that no request is lost.
  std::map<std::string, double> left_over;
};

// What users ask for, at full share and over all agents.
struct Demand {
  double requests_per_second = 0;
  double error_ratio = 0;
  double slow_ratio = 0;
  // Above this share errors have another ratio.
  std::optional<Share> knee;
  double error_ratio_above_knee = 0;
};

// A measurement that is taken again and again until it changes.
struct Measurement {
  Duration every{1'000};
  decltype(Reading::value) value;
};

class World {
 public:
  static constexpr char kGate[] = "shop";

  explicit World(std::function<void(std::string)> say);

  // --- Time.
  TimePoint now() const { return now_; }
  void Run(Duration by);
  // Until `is_reached`, at most so long. False: it was not.
  bool RunUntil(const std::function<bool()>& is_reached, Duration at_most);

  // --- What happens to the engine.
  void Feed(const Event& event);
  void Restart();
  void SetJournal(FakeJournal::Mode mode);

  FakeJournal& journal() { return journal_; }
  Demand& demand() { return demand_; }
  FakeAgent& agent(const std::string& name);
  void Connect(const std::string& name);
  void Disconnect(const std::string& name);
  // After its behaviour was changed: tells the engine, and obeys what it now can.
  void Touch(const std::string& name);
  void Measure(const std::string& source, Measurement measurement);
  // How busy the platform is with everybody in, a part of 1; measured every second from now on.
  void SetLoad(double at_full_share);
  // Nothing is measured any more.
  void Silence(const std::string& source) { measurements_.erase(source); }

  const State& state() const { return state_; }
  const Gate* gate() const;

 private:
  void At(Duration delay, std::function<void()> function);
  void Step(TimePoint to);
  void ScheduleWake();
  void Tell(const Outcome& outcome, const std::optional<Phase>& before);
  void CarryOut(const Action& action);
  void Record(const engine::Record& record);
  void Accept(const engine::Record& record);
  void Report(const FakeAgent& agent);
  void Obey(const std::string& name);
  void Count();
  void CountOne(FakeAgent& agent, double part_of_users);
  void TakeMeasurement(const std::string& source);
  void TakeLoad();
  std::optional<Phase> PhaseNow() const;

  const std::function<void(std::string)> say_;
  TimePoint now_;
  State state_;
  FakeJournal journal_;
  Demand demand_;
  std::map<std::string, FakeAgent> agents_;
  std::map<std::string, Measurement> measurements_;
  std::map<std::string, TimePoint> next_measurement_;
  std::optional<double> load_;
  std::optional<Directive> directive_;
  // By time, then by the order of the calls.
  std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t queued_ = 0;
  std::optional<TimePoint> wake_at_;
  // Messages of a controller that is gone are not delivered.
  std::uint64_t reign_ = 1;
};

}  // namespace headgate::engine
