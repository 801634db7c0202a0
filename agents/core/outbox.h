// What the agent has to say, between the gates' runners and the session: one slot per gate, in
// which the newest word wins. Thread-safe; no call blocks on the controller.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agents/core/counter_sums.h"
#include "agents/core/enforcer.h"
#include "agents/core/order.h"
#include "common/base/clock.h"

namespace headgate::agent {

struct GateWord {
  Standing standing;
  Description description;
  CounterSums counters;
  // How often the load balancer was changed, and how often that failed.
  std::uint64_t applied = 0;
  std::uint64_t failed = 0;
  // False while the load balancer cannot be asked.
  bool is_reachable = false;
  TimePoint at;
};

class Outbox {
 public:
  void Put(GateWord word);
  // Called after each Put, on the putting thread; one listener at a time, null for none. When this
  // returns, the former listener is not running any more.
  void Listen(std::function<void()> listener);

  std::vector<GateWord> All() const;
  // Gates whose standing or description has changed since it was last asked.
  std::vector<GateWord> TakeChanged();
  // True once for the Puts since it was last asked.
  bool TakeCounted();

 private:
  struct Slot {
    GateWord word;
    bool changed = true;
  };

  mutable std::mutex mutex_;
  // Protected by mutex_.
  std::map<std::string, Slot> slots_;
  bool counted_ = false;

  std::mutex listener_mutex_;
  // Protected by listener_mutex_.
  std::function<void()> listener_;
};

}  // namespace headgate::agent
