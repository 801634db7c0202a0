// Envoy as an Enforcer: weighted clusters that choose by a hash of the user's key, with weights
// from Envoy's runtime. Envoy reads them at its start from the share file (a resource of its
// runtime discovery service, in a file), and the agent changes them in memory by the admin
// interface, whose layer stands above. One keeper's thread. docs/agents/envoy.md tells the rest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/core/enforcer.h"
#include "agents/core/share_store.h"
#include "agents/core/user_key.h"
#include "agents/envoy/admin.h"
#include "agents/envoy/probes.h"
#include "agents/envoy/weights.h"

namespace headgate::envoy {

struct Settings {
  std::string gate;
  // The admin interface: "/run/envoy/admin.sock" or "127.0.0.1:9901".
  std::string admin;
  // The path that Envoy answers itself, by way of the users.
  std::string probe_url;
  // As they were given to `snippet`.
  std::string share;
  std::vector<std::string> app_clusters;
  agent::UserKey key;
  std::vector<std::uint32_t> slow_ms;
};

class Envoy : public agent::Enforcer {
 public:
  explicit Envoy(Settings settings);

  agent::Reading Read() override;
  absl::Status Write(const agent::Apply& apply) override;
  absl::Status Sync() override { return file_.Sync(); }
  agent::ApplyOutcome Put(const agent::Apply& apply) override;
  // Each worker reads it once a second at most, when it refuses somebody.
  absl::Status Foretell(const agent::Forecast& forecast) override {
    return agent::WriteForecast(agent::ForecastFileOf(settings_.share), forecast);
  }
  absl::Status Try(Share share) override { return probes_.Try(share); }
  absl::Status TryWaitPage() const { return probes_.TryWaitPage(); }
  absl::StatusOr<agent::RawCounters> ReadCounters() override { return counters_; }
  agent::Description Describe() const override;

 private:
  // What the runtime says of the gate, as far as it concerns the agent.
  struct Enforced {
    Found found;
    // The admin layer says every weight: a change of the file changes nothing then.
    bool is_pinned = false;
    // Something that people should mend.
    std::string trouble;
  };
  absl::StatusOr<Enforced> ReadEnforced() const;
  absl::Status Set(const agent::ShareFile& wanted) const;
  absl::StatusOr<agent::RawCounters> Count();
  void NoteProcess(const Stats& stats);

  const Settings settings_;
  const Gate gate_;
  const agent::ShareStore file_;
  const Admin admin_;
  Probes probes_;
  // Of the Envoy that was asked last.
  std::optional<std::uint64_t> uptime_s_;
  TimePoint started_;
  std::uint64_t generation_ = 0;
  std::string version_;
  absl::StatusOr<agent::RawCounters> counters_;
  std::vector<std::uint32_t> counted_slow_;
};

}  // namespace headgate::envoy
