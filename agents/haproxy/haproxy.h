// HAProxy as an Enforcer: one map file, changed in HAProxy's memory through the stats socket. One
// keeper's thread. docs/agents/haproxy.md tells why the file comes first in both directions, and
// why a file that cannot be written does not stop a lowering.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/core/enforcer.h"
#include "agents/core/prober.h"
#include "agents/core/share_store.h"
#include "agents/core/user_key.h"
#include "agents/haproxy/answers.h"
#include "agents/haproxy/cookie_map.h"
#include "agents/haproxy/forecast_map.h"
#include "agents/haproxy/stats_socket.h"

namespace headgate::haproxy {

struct Settings {
  std::string gate;
  // Of the stats socket, level admin.
  std::string socket;
  // As it is written in HAProxy's configuration.
  std::string map;
  std::string app_backend;
  // Also the name of the table that counts bypassed and slow answers.
  std::string wait_backend;
  std::string probe_url;
  agent::UserKey key;
  // As given to `snippet`; ascending.
  std::vector<std::uint32_t> slow_ms;
};

class Haproxy : public agent::Enforcer {
 public:
  // The first two places of the table's counters; the thresholds follow.
  static constexpr std::size_t kBypassedCount = 0;
  static constexpr std::size_t kBypassed5xxCount = 1;
  static constexpr std::size_t kSlowCounts = 2;
  // Behind those: who asked for the waiting page itself. Snippets of before it have none.
  static constexpr std::size_t PageCountOf(std::size_t thresholds) {
    return kSlowCounts + thresholds;
  }

  explicit Haproxy(Settings settings);

  agent::Reading Read() override;
  absl::Status Write(const agent::Apply& apply) override { return file_.Write(apply); }
  absl::Status Sync() override { return file_.Sync(); }
  agent::ApplyOutcome Put(const agent::Apply& apply) override;
  absl::Status PutCookieKeys(const CookieKeys& keys) override { return cookie_map_.Put(keys); }
  absl::Status Foretell(const agent::Forecast& forecast) override {
    return forecast_map_.Put(forecast);
  }
  absl::Status MendFiles() override;
  absl::Status Try(Share share) override;
  absl::Status TryWaitPage() const { return prober_.TryWaitPage(); }
  absl::StatusOr<agent::RawCounters> ReadCounters() override;
  agent::Description Describe() const override;
  // Of the thresholds of slow answers: what the configuration names and HAProxy does not count, as
  // of the last Read, in words; empty if it counts all.
  std::string MissingSlow() const;

 private:
  // As they are in HAProxy's memory; unset if missing.
  struct MapEntries {
    std::optional<std::int64_t> width;
    std::optional<std::int64_t> retry_after_s;
  };
  absl::StatusOr<MapEntries> GetMap() const;
  absl::StatusOr<MapEntries> EntriesFrom(const std::string& width_answer,
                                         const std::string& retry_after_answer) const;
  absl::Status SetMap(const agent::ShareFile& values) const;
  void NoteProcess(const ProcessInfo& info);
  absl::Status ReadMemory(agent::Reading& reading);
  bool KnowsCookies() const { return settings_.key.kind == agent::UserKey::Kind::kCookie; }
  void ReadCookieMap(const std::string& answer, agent::Reading& reading);
  absl::StatusOr<BackendRow> AppFrom(const std::string& answer);
  std::uint64_t RefusedOf(const std::string& instance, std::uint64_t at_least);
  absl::StatusOr<agent::RawCounters> CountersFrom(const std::vector<std::string>& answers);
  std::string SetCommand(const char* verb, const char* entry, std::uint32_t value) const;
  std::string GetCommand(const char* entry) const;

  const Settings settings_;
  const agent::ShareStore file_;
  const StatsSocket socket_;
  const CookieMap cookie_map_;
  const ForecastMap forecast_map_;
  agent::Prober prober_;
  // Name or number by which HAProxy finds it.
  std::string app_backend_;
  std::optional<ProcessInfo> process_;
  // Counts restarts, because a process in a container comes back with its old pid.
  std::uint64_t generation_ = 0;
  // Read with everything else, so that a hung socket costs one patience a tick and not two.
  absl::StatusOr<agent::RawCounters> counters_;
  // What was last told of those whom the waiting page was for, and of which instance.
  std::string refused_instance_;
  std::uint64_t refused_ = 0;
  // The thresholds of the configuration that HAProxy really counts, as far as anybody can tell.
  std::vector<std::uint32_t> counted_slow_;
};

}  // namespace headgate::haproxy
