// What each agent should have, has, and proves. Owned by the loop's thread. Sends each agent the
// newest directive of each of its gates, renews it, and tells who has fallen silent. Judges
// nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/version.h"
#include "controller/fleet/counting.h"
#include "controller/fleet/session.h"

namespace headgate::fleet {

inline constexpr std::size_t kAgentsMax = 2'000;
inline constexpr Duration kRenewEvery{3'000};
inline constexpr Duration kValidFor{15'000};
// An agent pushes four times a second; one that says nothing for so long may hang.
inline constexpr Duration kSilentAfter{5'000};
// For so long after two processes took turns as one agent nothing that either says is believed: the
// other may enforce something else.
inline constexpr Duration kRivalFor{60'000};
// A session that is open and has said nothing for so long when another process takes its name was
// not ended by its process' end: that one hangs, or its host is gone.
inline constexpr Duration kHangsAfter{1'500};

struct Agent {
  std::string name;
  // Shared with the reactor that gRPC owns: it ends when gRPC says so, not when we do.
  std::shared_ptr<Session> session;
  Hello hello;
  std::map<std::string, GateReport> gates;
  TimePoint last_seen;
  std::uint64_t implausible_counts = 0;
  Counting counting;
  // Whose session the present one ended, and when one that had been ended came back: two load
  // balancers with one certificate.
  std::string replaced_boot_id;
  std::optional<TimePoint> rival_seen;
  // Not seen back, but not seen to end either: it may hang.
  bool is_rival_silent = false;

  bool IsConnected(TimePoint now) const {
    return session != nullptr && now - last_seen <= kSilentAfter;
  }
  bool HasRival(TimePoint now) const { return rival_seen && now - *rival_seen <= kRivalFor; }
};

// For people: what is wrong, and the remedy.
std::string RivalText(const Agent& agent);
// What it says of the gate `whole`, or of the part of it that it obeys; null: nothing.
const GateReport* FindReport(const Agent& agent, const std::string& whole);

// Agents with all of `labels` obey `gate`, a part of the gate that they name.
struct Part {
  std::string gate;
  std::map<std::string, std::string> labels;
  friend bool operator==(const Part&, const Part&) = default;
};

struct Move {
  std::string agent;
  std::string from;
  std::string to;
};

class Fleet {
 public:
  // RESOURCE_EXHAUSTED beyond kAgentsMax. An older session of the same agent is closed (ABORTED).
  // It is told nothing yet: Tell.
  absl::Status Connect(const std::string& name, std::shared_ptr<Session> session, Hello hello,
                       TimePoint now);
  // These ignore a session that is no longer the agent's. Returns whether it was.
  bool Disconnect(const std::string& name, const Session* session);
  // Returns what is known now, of the gate's part that the agent obeys; null: ignored. A report of
  // more gates than kGatesPerAgentMax closes the session (RESOURCE_EXHAUSTED).
  const GateReport* Report(const std::string& name, const Session* session, GateReport report,
                           TimePoint now);
  CountingResult Count(const std::string& name, const Session* session, const CountersPush& push,
                       TimePoint now);

  // What every agent of the gate must enforce from now on.
  void Publish(const Directive& directive);
  // What goes with the directives of the gate from now on: the next Publish or Renew sends it. In
  // the wall clock's time. True to the minute, what was told before stays.
  void Foresee(const std::string& gate, Outlook outlook);
  // Every kRenewEvery.
  void Renew();
  // One agent, what it must enforce.
  void Tell(const std::string& agent) const;
  // Agents know nothing of parts: what they say of a gate is of their part, and what is published
  // for a part is told to them under the gate's own name. Nobody moves by the same parts again.
  // Those that move are told nothing yet: what they had may be newer than what there is to tell
  // them.
  std::vector<Move> SetParts(std::vector<Part> parts);
  // It is no more: nothing is sent for it, and of those who obeyed it nothing is known.
  void Forget(const std::string& gate);
  // Forgets an agent for one gate.
  void Remove(const std::string& gate, const std::string& name);

  const std::map<std::string, Agent>& agents() const { return agents_; }
  const Agent* Find(const std::string& name) const;
  std::size_t Connected(TimePoint now) const;

 private:
  Agent* FindSession(const std::string& name, const Session* session);
  std::string Route(const std::map<std::string, std::string>& labels,
                    const std::string& gate) const;
  void SendAll(const Agent& agent) const;
  void Send(const Agent& agent, const Directive& directive) const;

  std::map<std::string, Agent> agents_;
  std::map<std::string, Directive> directives_;
  std::map<std::string, Outlook> outlooks_;
  std::vector<Part> parts_;
};

}  // namespace headgate::fleet
