#include "controller/signals/signals.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/database/probe.h"
#include "controller/database/rolling_comparison.h"
#include "controller/signals/database_follower.h"
#include "controller/signals/prometheus_follower.h"

namespace headgate::signals {
namespace {

// Null where there is nothing to compare.
std::unique_ptr<database::DataRounds> MakeDataRounds(const DatabaseWatch& watch,
                                                     const Clock& clock) {
  const auto& replicas = watch.inventory.replicas;
  const bool is_replicated = std::any_of(replicas.begin(), replicas.end(),
                                         [](const auto& replica) { return !replica.out; });
  if (!watch.data || !is_replicated) return nullptr;
  return std::make_unique<database::RollingComparison>(watch.inventory, *watch.data, clock);
}

class FollowerFactory {
 public:
  FollowerFactory(const std::string& name, const Sink& sink, const Clock& clock)
      : name_(name), sink_(sink), clock_(clock) {}

  std::unique_ptr<Follower> operator()(const PrometheusRatioQuery& query) const {
    return std::make_unique<PrometheusFollower>(name_, query, sink_, clock_);
  }
  std::unique_ptr<Follower> operator()(const PrometheusValueQuery& query) const {
    return std::make_unique<PrometheusFollower>(name_, query, sink_, clock_);
  }
  std::unique_ptr<Follower> operator()(const DatabaseWatch& watch) const {
    return std::make_unique<DatabaseFollower>(
        name_,
        DatabaseFollower::Probes{.look = database::MakeProbe(watch.inventory),
                                 .fingerprint = database::MakeProbe(watch.inventory),
                                 .data = MakeDataRounds(watch, clock_)},
        DatabaseFollower::Cadence{.look = watch.look_every, .fingerprint = watch.fingerprint_every},
        sink_, clock_);
  }

 private:
  const std::string& name_;
  const Sink& sink_;
  const Clock& clock_;
};

}  // namespace

Signals::Signals(Sink sink, const Clock& clock) : sink_(std::move(sink)), clock_(clock) {
  // Counted by curl: each of us pays back its own.
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

Signals::~Signals() {
  // All are told before the first is waited for.
  for (auto& [name, followed] : followed_) followed.follower->Stop();
  followed_.clear();
  retired_.clear();
  curl_global_cleanup();
}

void Signals::Follow(std::vector<SignalSpec> specs) {
  std::vector<std::string> refused;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(retired_, [](const auto& follower) { return follower->HasEnded(); });
    std::map<std::string, SignalSpec> wanted;
    for (SignalSpec& spec : specs) {
      if (wanted.size() == kSignalsMax && !wanted.contains(spec.name)) {
        refused.push_back(spec.name);
        continue;
      }
      wanted[spec.name] = std::move(spec);
    }
    for (auto it = followed_.begin(); it != followed_.end();) {
      const auto still = wanted.find(it->first);
      if (still != wanted.end() && still->second == it->second.spec) {
        ++it;
        continue;
      }
      it->second.follower->Stop();
      retired_.push_back(std::move(it->second.follower));
      it = followed_.erase(it);
    }
    for (auto& [name, spec] : wanted) {
      if (followed_.contains(name)) continue;
      auto follower = std::visit(FollowerFactory(name, sink_, clock_), spec.source);
      followed_[name] = {.spec = std::move(spec), .follower = std::move(follower)};
    }
  }
  for (std::string& name : refused) {
    sink_({std::move(name), clock_.Now(),
           NoReading{
               fmt::format("it is not followed: there are more than {} signals", kSignalsMax)}});
  }
}

void Signals::Refresh(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = followed_.find(name);
  if (found != followed_.end()) found->second.follower->Refresh();
}

}  // namespace headgate::signals
