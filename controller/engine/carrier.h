// Carries out what an operator ordered, whatever it is, on one gate. Internal. commands.cc has the
// orders about a restoration, gate_commands.cc those about the gate itself.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "controller/engine/event.h"
#include "controller/engine/state.h"
#include "controller/engine/turn.h"

namespace headgate::engine {

// One command on one gate, in one turn.
class Carrier {
 public:
  Carrier(Turn& turn, const Command& command, Gate& gate)
      : turn_(turn), command_(command), gate_(gate) {}

  absl::Status operator()(const CreateGate& order);
  absl::Status operator()(const CloseGate& order);
  absl::Status operator()(const OpenGate& order);
  absl::Status operator()(const StartRestoration& order);
  absl::Status operator()(const Hold& order);
  absl::Status operator()(const Resume& order);
  absl::Status operator()(const Advance& order);
  absl::Status operator()(const Retreat& order);
  absl::Status operator()(const Abort& order);
  absl::Status operator()(const Approve& order);
  absl::Status operator()(const RemoveAgent& order);
  absl::Status operator()(const RotateCookieKey& order);
  absl::Status operator()(const SplitGate& order);
  absl::Status operator()(const RemoveGate& order);

  const std::string& summary() const { return summary_; }
  // The reply comes later, from the ramp.
  bool is_deferred() const { return is_deferred_; }
  // The gate is to be forgotten.
  bool is_removal() const { return is_removal_; }
  // Of the parts that were ordered too.
  const std::map<std::string, Version>& parts() const { return parts_; }

 private:
  Cause CauseOf(std::string what) const;
  // Remembers the request, so that a repeat does nothing twice.
  GateRecord Marked(GateRecord next) const;
  void Commit(GateRecord next, std::string what);
  void Propose(GateRecord next, std::string what, bool needs_evidence);
  bool HasRunning() const { return IsRestoring(gate_.record); }
  absl::Status LowerTo(Share most, const char* verb);
  // ", below 20 % already" where the share is; empty at 20 %.
  std::string Below(Share most) const;
  // Ends a running restoration, for orders that take the gate out of its hands.
  void EndRestoration(GateRecord& next, const std::string& detail) const;

  Turn& turn_;
  const Command& command_;
  Gate& gate_;
  std::string summary_;
  bool is_deferred_ = false;
  bool is_removal_ = false;
  std::map<std::string, Version> parts_;
};

}  // namespace headgate::engine
