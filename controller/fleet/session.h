// How the fleet reaches an agent, and what an agent says. Values, and one interface that the api
// implements over gRPC. A Session may be used from any thread and never blocks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/outlook.h"
#include "common/base/version.h"

namespace headgate::fleet {

class Session {
 public:
  virtual ~Session() = default;
  // One slot per gate, and the newest wins: an agent that was slow needs the present share, not its
  // history.
  // `outlook`: for those who wait; no part of what is enforced.
  virtual void Send(const Directive& directive, const Outlook& outlook, Duration valid_for) = 0;
  virtual void AskFullState() = 0;
  virtual void Close(absl::Status why) = 0;
};

enum class Stage { kIdle, kReceived, kApplied, kObserved, kRefused };

struct Refusal {
  // As in Refusal.Code of agent.proto.
  int code = 0;
  std::string detail;
  Version refused;
  Version highest_seen;
};

struct LocalOverride {
  bool is_ceiling = false;
  Share share;
  std::optional<TimePoint> until;
};

// What an agent enforces for one gate.
struct GateReport {
  std::string gate;
  Version version;
  std::uint64_t digest = 0;
  Stage stage = Stage::kIdle;
  Share enforced;
  bool unsaved = false;
  bool expired = false;
  std::optional<Refusal> refusal;
  std::optional<LocalOverride> local_override;
  std::string admit_by;
  std::vector<std::uint32_t> slow_thresholds_ms;
  std::string trouble;
};

struct Hello {
  std::string boot_id;
  std::string software_version;
  std::string load_balancer;
  std::map<std::string, std::string> labels;
  std::vector<GateReport> gates;
};

// Cumulative since the agent's boot.
struct GateTotals {
  std::string gate;
  std::uint64_t admitted = 0;
  std::uint64_t http_5xx = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t refused = 0;
  std::uint64_t bypassed = 0;
  std::map<std::uint32_t, std::uint64_t> slower_than_ms;
  bool live = false;
};

struct CountersPush {
  std::string boot_id;
  std::uint64_t sequence = 0;
  std::vector<GateTotals> gates;
};

}  // namespace headgate::fleet
