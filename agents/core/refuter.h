// What a load balancer's counters say against the share that it claims to enforce: at 0 % nobody
// new is let through, at 100 % nobody is refused. They can only refute: in between, requests are
// not users. Pure; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate::agent {

class Refuter {
 public:
  // After a change: what was judged by the share before has come to its backend.
  static constexpr Duration kSettled = std::chrono::seconds(1);
  // Counts are weighed against what was under way at most so long ago, and a refutation stands so
  // long after the last.
  static constexpr Duration kWindow = std::chrono::seconds(10);
  // Within kWindow: `headgate-agent check` asks to be refused once.
  static constexpr std::uint64_t kStrayRefusalsMax = 3;

  struct Counted {
    // What the load balancer said that it enforces, just before it was asked for its counters.
    Share in_force;
    std::string instance;
    // Since the agent's boot; admitted ones are counted at their end.
    std::uint64_t admitted = 0;
    std::uint64_t refused = 0;
    // Under way to the application now, bypassed ones included.
    std::uint64_t in_flight = 0;
  };
  // Another share was put in force, be it for a moment: what was counted until now says nothing.
  void BeginAnew() { from_.reset(); }
  // Not OK: refuted, in words for people. After a time in which nobody looked, as of an agent that
  // hung, it begins anew: another share may have been in force meanwhile.
  absl::Status Weigh(const Counted& counted, TimePoint now);

 private:
  std::optional<Counted> from_;
  TimePoint from_at_;
  TimePoint weighed_at_;
  TimePoint share_since_;
  absl::Status refutation_;
  TimePoint refuted_at_;
};

}  // namespace headgate::agent
