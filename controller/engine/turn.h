// One turn of the engine on one gate: the only two ways in which a gate changes. Internal.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/engine/event.h"
#include "controller/engine/state.h"

namespace headgate::engine {

class Turn {
 public:
  Turn(State& state, TimePoint now, std::vector<Action>& actions)
      : state_(state), now_(now), actions_(actions) {}

  State& state() { return state_; }
  TimePoint now() const { return now_; }

  // In force at once: for everything that does not raise. Publishes where agents must do something
  // else than before, then records. A raise that waits for the journal is overtaken.
  void Commit(Gate& gate, GateRecord next, Cause cause);
  // Recorded first, in force when Recorded comes back: for a raise, and for lifting no_raise.
  void Propose(Gate& gate, GateRecord next, Cause cause, bool needs_evidence);
  // The journal has it: publishes, if nothing newer was decided and the evidence still stands.
  void OnRecorded(Gate& gate, std::uint64_t token);
  void OnRecordFailed(Gate& gate, std::uint64_t token, const std::string& why);
  // While recording fails, tries the present state again.
  void RecordAgain(Gate& gate);

  // The record with another phase, from now on.
  GateRecord WithPhase(const Gate& gate, Phase phase) const;
  void Reply(Replied reply) { actions_.emplace_back(std::move(reply)); }
  void Tell(const Gate& gate, std::string text, bool pages);
  // Nothing that agents enforce, and no decision: the record as it is, for the journal. Not while a
  // raise waits for it.
  void Note(Gate& gate, Cause cause);
  // The last record of a gate. Its removal from the state is the caller's.
  void RecordRemoval(Gate& gate, Cause cause);
  // False: the token is none of a removal's. removal.cc
  bool OnRemovalRecorded(const std::string& gate, std::uint64_t token);
  bool OnRemovalFailed(const std::string& gate, std::uint64_t token, const std::string& why);
  // Removals that failed, when their time has come.
  void RecordRemovalsAgain();

 private:
  std::uint64_t HandToJournal(Gate& gate, const GateRecord& record, Cause cause,
                              std::uint64_t repeats = 0);
  // Of removals that failed, before whatever is decided after them.
  void HandRemovalsToJournal();
  bool Stands(const Gate& gate, const PendingRaise& raise) const;
  void AnswerStart(Gate& gate, const std::string& text);
  void Enforce(Gate& gate, GateRecord next, const Cause& cause);

  State& state_;
  const TimePoint now_;
  std::vector<Action>& actions_;
};

// Known only from its agents, because the journal cannot be used or was lost: nothing was ever
// published for it, and what it shows is what they enforce.
inline bool IsAdopted(const Gate& gate) { return gate.exists && gate.record.version == Version{}; }
// What agents must enforce for a gate in this state.
Directive DirectiveOf(const GateRecord& record);

// The course of a restoration: called whenever something may have changed. ramp.cc
void Steer(Turn& turn, Gate& gate);
// Whether a hold goes on without a person. ramp.cc
bool EndsByItself(const Holding& phase);
// As many retreats in a row as the plan has retries, and one more.
bool HasNoRetryLeft(const Restoration& restoration);
Holding OutOfRetries(const Restoration& restoration);
// False, and nothing done, while there is one.
bool HoldIfNoRetryLeft(Turn& turn, Gate& gate);
// The phase that follows a hold. ramp.cc
Phase PhaseAfterHold(const GateRecord& record, TimePoint now);
// Takes users out: to the last proven share, or to `to`. ramp.cc
void RetreatTo(Turn& turn, Gate& gate, Share to, Cause cause);
Share RetreatTarget(const Restoration& restoration, Share share);
// NOT_FOUND, or FAILED_PRECONDITION while it is connected. agent_removal.cc
absl::Status Remove(Turn& turn, Gate& gate, const std::string& agent, Cause cause);
// Agents that were not known before.
void RecordNewAgents(Turn& turn, Gate& gate);
// An agent that obeys another part of the gate from now on.
void LeaveFor(Turn& turn, Gate& gate, const std::string& agent);
// The rotation of cookie keys. cookie_rotation.cc
absl::Status BeginRotation(const State& state, const Gate& gate, CookieKey key, CookieKeys& next);
// What was begun, for people.
std::string RotationText(const std::string& gate, const CookieKeys& keys);
// Signs new cookies by the staged key, once every load balancer accepts it.
void GoOnWithRotation(Turn& turn, Gate& gate);
// A gate and its parts. parts.cc
//
// One whole and its parts count their revisions together, so that an agent that moves between them
// finds what it is told newer than what it had.
std::uint64_t TakeRevision(State& state, Gate& gate);
// The newest version of the reign before that the agent may have been told: of the gate, and, if it
// obeyed another of them then, of that one.
Version NewestRecovered(const State& state, const Gate& gate, const std::string& agent);
// Without the whole itself; of a part: none.
std::vector<Gate*> PartsOf(State& state, const Gate& whole);
// "shop@eu, shop@us".
std::string PartNames(State& state, const Gate& whole);
// The whole and its parts.
std::vector<const Gate*> FamilyOf(const State& state, const Gate& gate);
// What `part` begins with; NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT or FAILED_PRECONDITION where
// it cannot be.
absl::StatusOr<GateRecord> Split(const State& state, const Gate& part, const Labels& labels);
// Whether the gate is still as it was when the part, which is being recorded, was split from it.
bool StillParts(const State& state, const GateRecord& part);
// FAILED_PRECONDITION: whoever obeys it would be let down, or raised.
absl::Status MayRemove(State& state, const Gate& gate);
void Move(Turn& turn, const AgentMoved& event);
// commands.cc
void Carry(Turn& turn, const Command& given);

}  // namespace headgate::engine
