// A load balancer that admits a share of the users: HAProxy, nginx and others. One keeper's thread
// calls it; Try and Sync may each be called on another thread at the same time. Every call but Sync
// returns within a bounded time (kCallMax), whatever the load balancer does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/core/forecast.h"
#include "agents/core/gate.h"
#include "agents/core/order.h"

namespace headgate::agent {

// Counted by the load balancer since its start, of one gate.
struct RawCounters {
  // Another value: the load balancer was restarted or reloaded, and counts from 0 again.
  std::string instance;
  // Answered by the application or in its place, bypassed ones included; counted at their end.
  std::uint64_t answered = 0;
  std::uint64_t http_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t refused = 0;
  // Of them: a new cookie, because their address got too many.
  std::uint64_t new_cookies_refused = 0;
  // Under way to the application now, bypassed ones included: no counter.
  std::uint64_t in_flight = 0;
  // Counted as they come.
  std::uint64_t bypassed = 0;
  std::uint64_t bypassed_5xx = 0;
  // Threshold in milliseconds -> answers that were slower; only those that are really counted.
  std::map<std::uint32_t, std::uint64_t> slow;
};

struct Description {
  // "haproxy 2.6.12"; empty until it could be asked.
  std::string load_balancer;
  // "cookie headgate_uid", "header X-User-Id" or "client_address".
  std::string admit_by;
  // Those that are really counted.
  std::vector<std::uint32_t> slow_thresholds_ms;
};

class Enforcer {
 public:
  static constexpr Duration kCallMax{2000};

  virtual ~Enforcer() = default;
  // Never fails as a whole: what could not be read is unset, and `trouble` says why.
  virtual Reading Read() = 0;
  // What the load balancer reads at its next start, without waiting for the disk.
  virtual absl::Status Write(const Apply& apply) = 0;
  // Waits until what was written survives a power failure, for as long as the disk takes.
  virtual absl::Status Sync() = 0;
  // Writes, unless that says so already, and changes the load balancer's memory: for kDown even if
  // nothing can be written. For kUp come Write and Sync first.
  virtual ApplyOutcome Put(const Apply& apply) = 0;
  // What cookies are verified with, durably for its next start and then in its memory. Asked of
  // those only that say what they verify with (Reading::cookie_keys). May run beside every other
  // call, not beside itself.
  virtual absl::Status PutCookieKeys(const CookieKeys& /*keys*/) {
    return absl::UnimplementedError("this load balancer verifies no cookies");
  }
  // What those who are refused are told of their return; nothing of it admits anybody. The next one
  // replaces it. May run beside every other call, not beside itself.
  virtual absl::Status Foretell(const Forecast& /*forecast*/) { return absl::OkStatus(); }
  // What else it must find at its next start, or it does not start: made anew where it is missing
  // or damaged, of what is in its memory or of nothing. Nothing of it admits anybody. Never beside
  // PutCookieKeys or Foretell.
  virtual absl::Status MendFiles() { return absl::OkStatus(); }
  // May run beside every other call, not beside itself. Two requests through the load balancer's
  // own rule, just inside and just outside of the share (one at 0 % and 100 %). OK: both got the
  // right answers.
  virtual absl::Status Try(Share share) = 0;
  virtual absl::StatusOr<RawCounters> ReadCounters() = 0;
  virtual Description Describe() const = 0;
};

}  // namespace headgate::agent
