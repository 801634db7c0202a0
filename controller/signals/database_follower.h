// Follows one database: looks every second, compares schemas every 30 s and when asked to, on two
// threads with a probe each, so that a slow comparison never delays a look. Every reading holds the
// findings of the newest look and of the newest comparison.
// As Follower says. Promises: until the first comparison, and when the newest is too old, readings
// say UNKNOWN.
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

inline constexpr Duration kLookEvery{1'000};
inline constexpr Duration kFingerprintEvery{30'000};
// Refreshes that come faster are served together.
inline constexpr Duration kFingerprintGapMin{2'000};
// Longer ago, a comparison says nothing about now.
inline constexpr Duration kFingerprintAgeMax = 3 * kFingerprintEvery;

// `look` with what the newest comparison found; nullopt: there was none yet.
database::Report Merge(database::Report look, const std::optional<database::Report>& fingerprint);

class DatabaseFollower final : public Follower {
 public:
  struct Probes {
    std::unique_ptr<database::Probe> look;
    std::unique_ptr<database::Probe> fingerprint;
  };

  // `clock` must outlive it.
  DatabaseFollower(std::string signal, Probes probes, Sink sink, const Clock& clock);
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
