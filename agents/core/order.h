// The values that the agent's core decides with: what a controller offers, what the operator on the
// box wants, what the load balancer says, and what is to be done. Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/base/clock.h"
#include "common/base/cookie_keys.h"
#include "common/base/outlook.h"
#include "common/base/share.h"
#include "common/base/version.h"

namespace headgate::agent {

// A directive as it arrived. `digest` is what the controller claims it to be.
struct Offer {
  Directive directive;
  std::uint64_t digest = 0;
  // From its arrival on the agent's own monotonic clock.
  Duration valid_for{0};
  // For those who wait, in the wall clock's time; no part of what is to be enforced.
  Outlook outlook{};
};

// What an agent keeps on its disk for one gate.
struct Memory {
  // The highest version seen.
  Directive directive;
  // The share that the directive, `no_raise` and the rails have allowed so far.
  Share granted;

  friend bool operator==(const Memory&, const Memory&) = default;
};

// The operator's word on the box itself.
struct LocalOverride {
  // A ceiling (`headgate-agent lower`) or exactly this share (`headgate-agent override`).
  bool is_ceiling = true;
  Share share;
  // Unset: until released.
  std::optional<TimePoint> until;
  // The ceiling that stands from `until` on, until it is released: somebody lowered meanwhile.
  std::optional<Share> ceiling_after{};

  friend bool operator==(const LocalOverride&, const LocalOverride&) = default;
};

// Of the agent's own configuration. They never refuse a lowering.
struct Rails {
  std::optional<Share> step_up_max{};
  Duration between_steps_up_min{0};
  bool freeze = false;
};

// What a load balancer says of a gate.
struct Reading {
  // What it enforces now; unset if it cannot be asked.
  std::optional<Share> in_force;
  // What it would enforce after a restart or reload; unset if that cannot be read.
  std::optional<Share> at_next_start;
  std::uint32_t retry_after_s = 0;
  // Another value: the load balancer was restarted or reloaded.
  std::string instance;
  // What it verifies cookies with, now and after a restart; without keys where the two differ. Of
  // one that cannot be asked, after a restart. Unset: it verifies none.
  std::optional<CookieKeys> cookie_keys{};
  // Without a file that it can read it does not start: one is made of what is in force, whoever
  // wants what.
  bool needs_file_to_start = false;
  // What is wrong, in words for people; empty if nothing is.
  std::string trouble;
};

enum class Direction {
  // The load balancer comes first; nothing may prevent it.
  kDown,
  // Whatever the load balancer reads at its next start must be durable before it enforces it.
  kUp,
};

// Duties, one at a time; docs/PROTOCOL.md tells why in this order.
struct Save {
  Memory memory;
  bool is_raise = false;
};
struct Apply {
  Share share;
  std::uint32_t retry_after_s = 0;
  Direction direction = Direction::kDown;

  friend bool operator==(const Apply&, const Apply&) = default;
};
struct Probe {
  Share share;
  // Of the load balancer that is to be asked.
  std::string instance;
};
struct PutKeys {
  CookieKeys keys;
};
struct Nothing {};
using Duty = std::variant<Nothing, Apply, Save, PutKeys, Probe>;

enum class RefusalCode {
  kStaleVersion,
  kStaleEpoch,
  kDigestMismatch,
  kCorrupt,
  kRail,
  kDisk,
  kLoadBalancer,
  kUnknownGate,
};

struct Refusal {
  RefusalCode code = RefusalCode::kCorrupt;
  std::string detail;
  Version refused;
  Version highest_seen;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

enum class Stage { kIdle, kReceived, kApplied, kObserved, kRefused };

// What an agent says of itself for one gate.
struct Standing {
  std::string gate;
  Version version;
  std::uint64_t digest = 0;
  Stage stage = Stage::kIdle;
  Share enforced;
  bool unsaved = false;
  bool expired = false;
  // When the last renewal's validity ended, of one that is expired; the agent's start, if none came
  // since.
  std::optional<TimePoint> expired_since{};
  std::optional<Refusal> refusal;
  std::optional<LocalOverride> local_override;
  std::string trouble;

  friend bool operator==(const Standing&, const Standing&) = default;
};

}  // namespace headgate::agent
