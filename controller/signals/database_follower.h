// Follows one database: looks every so often, compares schemas more rarely and when asked to, on
// two threads with a probe each, so that a slow comparison never delays a look. Every reading holds
// the findings of the newest look and of the newest comparison. As Follower says. Promises: until
// the first comparison, and when the newest is too old, readings say UNKNOWN.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "controller/database/probe.h"
#include "controller/signals/follower.h"
#include "controller/signals/pause.h"

namespace headgate::signals {

// Refreshes that come faster are served together.
inline constexpr Duration kFingerprintGapMin{2'000};
// So many intervals ago, a comparison says nothing about now.
inline constexpr int kFingerprintsMissedMax = 3;

// `look` with what the newest comparison found; nullopt: there was none yet. One older than
// `age_max` is told as well.
database::Report Merge(database::Report look, const std::optional<database::Report>& fingerprint,
                       Duration age_max);

class DatabaseFollower final : public Follower {
 public:
  struct Probes {
    std::unique_ptr<database::Probe> look;
    std::unique_ptr<database::Probe> fingerprint;
  };

  struct Cadence {
    Duration look{1'000};
    Duration fingerprint{30'000};
  };

  // `clock` must outlive it.
  DatabaseFollower(std::string signal, Probes probes, const Cadence& cadence, Sink sink,
                   const Clock& clock);
  ~DatabaseFollower() override;

  // Compares the schemas now.
  void Refresh() override { fingerprint_pause_.Nudge(); }
  void Stop() override;
  bool HasEnded() const override { return threads_running_ == 0; }

 private:
  void RunLooks();
  void RunFingerprints();

  const std::string signal_;
  const Probes probes_;
  const Cadence cadence_;
  const Sink sink_;
  const Clock& clock_;
  Pause look_pause_;
  Pause fingerprint_pause_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::optional<database::Report> fingerprint_;
  std::atomic<int> threads_running_ = 2;
  std::thread look_thread_;
  std::thread fingerprint_thread_;
};

}  // namespace headgate::signals
