// A conductor on a stage: a clock that stands still until it is told, a journal in memory whose
// disk survives the controller, and load balancers' agents that obey. Single-threaded.
#pragma once

#include <prometheus/registry.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "controller/conductor/conductor.h"
#include "controller/conductor/metrics.h"
#include "controller/journal/memory_journal.h"

namespace headgate::conductor {

// An agent with its load balancer; it outlives controllers.
struct StageAgent : fleet::Session {
  void Send(const Directive& directive, const Outlook& outlook, Duration valid_for) override;
  void AskFullState() override {}
  void Close(absl::Status why) override { closed = std::move(why); }

  std::map<std::string, std::string> labels;
  fleet::GateReport report;
  // In the order in which they were sent.
  std::vector<Directive> sent;
  std::vector<Outlook> outlooks;
  absl::Status closed;
  bool obeys = true;
  // How far it comes with a directive.
  fleet::Stage reaches = fleet::Stage::kObserved;
  bool is_connected = false;
  fleet::GateTotals totals;
  std::uint64_t pushes = 0;
};

// One life of a controller.
struct Reign {
  Reign(const Clock& clock, Log& log, journal::Journal* journal, std::string journal_trouble,
        Legacy legacy);

  Loop loop;
  prometheus::Registry registry;
  ConductorMetrics metrics;
  std::vector<signals::SignalSpec> followed;
  Conductor conductor;
};

class Stage {
 public:
  Stage();
  // Starts the controller, again if there was one; what its journal had not synced is lost but for
  // the first `reached_disk` records.
  absl::Status Start(std::size_t reached_disk = 0);
  absl::Status StartWithoutJournal(const std::string& why);
  // The same process goes on with what its journal could not take.
  absl::Status StartOver();

  void Connect(const std::string& name);
  void Disconnect(const std::string& name);
  // Reports what stands in its report.
  void Tell(const std::string& name);
  StageAgent& agent(const std::string& name);

  // Time passes; agents obey and count 40 requests per 50 ms at full share, `errors` of them bad.
  void Run(Duration by);
  bool RunUntil(const std::function<bool()>& is_so, Duration at_most = Duration(60'000));
  // Only what was posted.
  void Turn();

  // The answer arrives by Turn or Run.
  std::shared_ptr<std::optional<Answer>> Do(engine::Order order, WaitFor wait_for = WaitFor::kSent,
                                            const std::string& gate = "shop",
                                            Duration timeout = kWaitDefault);

  std::shared_ptr<std::optional<Answer>> Do(engine::Command command,
                                            WaitFor wait_for = WaitFor::kSent,
                                            Duration timeout = kWaitDefault);
  // Seen by the next controller.
  void SetClockBack(Duration by) { clock_.Advance(-by); }

  Conductor& conductor() { return reign_->conductor; }
  Reign& reign() { return *reign_; }
  journal::MemoryJournal& journal() { return *journal_; }
  journal::MemoryDisk& disk() { return disk_; }
  const engine::GateRecord& gate(const std::string& name = "shop") const {
    return reign_->conductor.state().gates.at(name).record;
  }
  TimePoint now() const { return clock_.Now(); }
  double errors = 0;

 private:
  void StartReign(journal::Journal* journal, const std::string& journal_trouble);
  void Obey(const std::string& name);
  void Count(const std::string& name);

  ManualClock clock_;
  Log log_;
  journal::MemoryDisk disk_;
  std::unique_ptr<journal::MemoryJournal> journal_;
  std::map<std::string, std::shared_ptr<StageAgent>> agents_;
  std::unique_ptr<Reign> reign_;
  // Of the reign to come.
  Legacy legacy_;
};

// steps 10 %, 50 %, 100 %; two agents; one check on errors.
engine::Plan UsualPlan();

}  // namespace headgate::conductor
