// Calls that wait until their decision has come as far as they asked: recorded, sent, applied, or
// observed. Owned by the loop's thread. A wait always ends: at its deadline it names who is
// missing.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "common/base/clock.h"
#include "controller/engine/state.h"
#include "controller/fleet/fleet.h"

namespace headgate::conductor {

enum class WaitFor { kSent, kRecorded, kApplied, kObserved };

inline constexpr Duration kWaitDefault{2'000};
inline constexpr Duration kWaitMax{60'000};
inline constexpr std::size_t kWaitsMax = 1'000;
// For so long after a restart agents may still be on their way back: their longest pause, and the
// connecting.
inline constexpr Duration kComingBack{12'000};

struct Unconfirmed {
  std::string agent;
  std::string why;
};

struct Answer {
  absl::Status status;
  std::string summary;
  std::vector<Unconfirmed> unconfirmed;
  bool repeated = false;
  bool recorded = false;
};

struct Wait {
  std::string gate;
  WaitFor wait_for = WaitFor::kSent;
  TimePoint deadline;
  // The record that must be durable, 0 if none, and the version that agents must reach.
  std::uint64_t token = 0;
  Version version;
  // Of parts of the gate that the order was about too, by name.
  std::map<std::string, Version> parts{};
  // A raise that waits for its record; it may still be overtaken, or fail to be recorded.
  bool is_pending_raise = false;
  bool is_recorded = false;
  Answer answer;
  absl::AnyInvocable<void(Answer)> done;
};

class Waits {
 public:
  explicit Waits(TimePoint started) : started_(started) {}
  // RESOURCE_EXHAUSTED to `wait.done` at once beyond kWaitsMax.
  void Add(Wait wait);
  // The journal has the gate's record `token`, and so all that was decided before it and stands.
  void OnRecorded(const std::string& gate, std::uint64_t token);
  // Ends every wait that has what it waits for, can no longer have it, or has waited long enough.
  // `done` may add waits.
  void Settle(const engine::State& state, const fleet::Fleet& fleet, TimePoint now);
  // Ends them all with what is known now: the orders themselves were carried out.
  void EndAll(const engine::State& state, const fleet::Fleet& fleet, TimePoint now);
  bool empty() const { return waits_.empty(); }

 private:
  static bool IsRecorded(const Wait& wait) { return wait.token == 0 || wait.is_recorded; }

  const TimePoint started_;
  std::list<Wait> waits_;
};

}  // namespace headgate::conductor
