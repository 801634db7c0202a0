// nginx with its Lua module as an Enforcer: the share lives in a shared dict of all workers, which
// the gate's Lua reads for each request, and is changed by a request to the gate's control path.
// One keeper's thread. docs/agents/nginx.md tells the rest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/core/cookie.h"
#include "agents/core/enforcer.h"
#include "agents/core/prober.h"
#include "agents/core/share_store.h"
#include "agents/core/user_key.h"
#include "agents/nginx/control.h"

namespace headgate::nginx {

struct Settings {
  std::string gate;
  // The path that the gate's Lua answers itself, by way of the users.
  std::string probe_url;
  // As it was given to `snippet`.
  std::string share;
  // Of the file that holds the word by which the agent is known.
  std::string token;
  agent::UserKey key;
  // As given to `snippet`; ascending.
  std::vector<std::uint32_t> slow_ms;
};

class Nginx : public agent::Enforcer {
 public:
  explicit Nginx(Settings settings);

  agent::Reading Read() override;
  absl::Status Write(const agent::Apply& apply) override { return file_.Write(apply); }
  absl::Status Sync() override { return file_.Sync(); }
  agent::ApplyOutcome Put(const agent::Apply& apply) override;
  absl::Status PutCookieKeys(const CookieKeys& keys) override;
  // Each worker reads it once a second at most, when it refuses somebody.
  absl::Status Foretell(const agent::Forecast& forecast) override {
    return agent::WriteForecast(agent::ForecastFileOf(settings_.share), forecast);
  }
  absl::Status Try(Share share) override;
  absl::Status TryWaitPage() const { return prober_.TryWaitPage(); }
  absl::StatusOr<agent::RawCounters> ReadCounters() override { return counters_; }
  agent::Description Describe() const override;
  // Of the thresholds of slow answers: what the agent's configuration names and nginx does not
  // count, as of the last Read, in words; empty if it counts all.
  std::string MissingSlow() const;

 private:
  absl::Status Set(const agent::ShareFile& wanted) const;
  agent::RawCounters Sum(const Told& told);
  void ReadCookieKeys(const Told& told, agent::Reading& reading);
  std::string KeysFile() const { return agent::CookieKeysFileOf(settings_.share); }

  const Settings settings_;
  const agent::ShareStore file_;
  const Control control_;
  agent::Prober prober_;
  std::string version_;
  // Beside an old binary a new one counts for itself: of each, what it told last.
  std::map<std::string, Counts> by_instance_;
  absl::StatusOr<agent::RawCounters> counters_;
  std::vector<std::uint32_t> counted_slow_;
};

}  // namespace headgate::nginx
