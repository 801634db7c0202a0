// What may happen to the engine, and what it asks for in return. Values; the conductor carries
// them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "controller/engine/evidence.h"
#include "controller/engine/record.h"

namespace headgate::engine {

// --- What operators ask for.

struct CreateGate {
  Share share;
  // Unset: its cookies are not signed.
  std::optional<CookieKey> cookie_key{};
};
// Hands a new key out to every load balancer. New cookies are signed by it as soon as all of them
// accept it.
struct RotateCookieKey {
  CookieKey key;
};
// The command's gate is the part's name: from now on the agents of the whole that have all of
// `labels` obey the part, which has the share of the whole until an order of its own.
struct SplitGate {
  Labels labels;
};
// Of a part: its agents obey the whole again. Of a whole: it is forgotten.
struct RemoveGate {};
// With all its parts.
struct CloseGate {};
// Until `until`; then back to the share of before, if that is lower.
struct OpenGate {
  TimePoint until;
};
struct StartRestoration {
  Plan plan;
  // Wait in PREFLIGHT for as long as it takes, instead of being refused.
  bool when_ready = false;
};
struct Hold {};
struct Resume {};
struct Advance {};
struct Retreat {
  // At most this; where fewer are in, they stay as they are. Unset: the last proven share.
  std::optional<Share> to;
};
struct Abort {
  // At most this; where fewer are in, they stay as they are. Unset: the present share.
  std::optional<Share> to;
};
struct Approve {};
// An agent that is gone for good no longer counts in the quorum.
struct RemoveAgent {
  std::string agent;
};

using Order =
    std::variant<CreateGate, CloseGate, OpenGate, StartRestoration, Hold, Resume, Advance, Retreat,
                 Abort, Approve, RemoveAgent, RotateCookieKey, SplitGate, RemoveGate>;

struct Command {
  // Chosen by the conductor; comes back in Replied.
  std::uint64_t call = 0;
  std::string gate;
  Order order;
  std::string actor;
  std::string reason;
  std::string request_id;
  // 0: any. Not looked at by orders that lower.
  std::uint64_t expected_revision = 0;
  bool dry_run = false;
};

// --- What happens.

// Time passed.
struct Tick {};
// Recovery: one record of the journal, oldest first.
struct Replayed {
  GateRecord record;
};
// The journal is ours from now on, under this epoch.
struct ReignBegan {
  std::uint64_t epoch = 0;
  // The clock is behind the order of an `open` that is in force: its expiry cannot be trusted.
  bool clock_is_behind = false;
};
// The journal cannot be used, or a newer reign owns it: lower only from here on.
struct ReignLost {
  std::string why;
  // What lowerings are published under where no reign ever began; else 0.
  std::uint64_t epoch = 0;
  // As in ReignBegan, where no reign ever began.
  bool clock_is_behind = false;
};
// What this controller decided before it started over, and no journal has.
struct Inherited {
  GateRecord record;
  Cause cause;
};
struct Recorded {
  std::string gate;
  std::uint64_t token = 0;
};
struct RecordFailed {
  std::string gate;
  std::uint64_t token = 0;
  std::string why;
};
struct AgentReported {
  std::string gate;
  AgentView agent;
};
// It obeys another part of its gate from now on.
struct AgentMoved {
  std::string from;
  std::string to;
  AgentView agent;
};
struct CountsArrived {
  std::string gate;
  std::string agent;
  Counts counts;
};
struct ReadingArrived {
  std::string gate;
  // As in AddReading.
  std::string source;
  Reading reading;
};

using Event = std::variant<Tick, Replayed, ReignBegan, ReignLost, Inherited, Recorded, RecordFailed,
                           AgentReported, AgentMoved, CountsArrived, ReadingArrived, Command>;

// --- What the engine asks for. In this order within a turn.

// To every agent of the gate, now.
struct Publish {
  Directive directive;
};
// Into the journal; answered by Recorded or RecordFailed with the same token.
struct Record {
  std::uint64_t token = 0;
  GateRecord record;
  Cause cause;
  // Not a new decision: tries again what could not be recorded under this token. 0: a new one.
  std::uint64_t repeats = 0;
};
// The answer to a Command. A start without when_ready is answered when its preflight ends.
struct Replied {
  std::uint64_t call = 0;
  absl::Status status;
  // What happened, for people.
  std::string summary;
  bool repeated = false;
  // The record that must be in the journal, 0 if none; and the version that agents must reach.
  std::uint64_t token = 0;
  Version version;
  // Of parts that the order was about too, by name.
  std::map<std::string, Version> parts{};
};
// For the log, and for those who watch.
struct Told {
  std::string gate;
  std::string text;
  // A person must look at it.
  bool pages = false;
};

using Action = std::variant<Publish, Record, Replied, Told>;

}  // namespace headgate::engine
