// Follows one database: looks every so often, compares schemas more rarely and when asked to, and
// rows all the time, on three threads with connections of their own, so that a slow comparison
// never delays a look. Every reading holds the findings of the newest look, of the newest
// comparison of schemas, and what is told of the data. As Follower says. Promises: until the first
// comparison of schemas, and when the newest is too old, readings say UNKNOWN; what comparing rows
// found is told with a fresh look, at once.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "controller/database/data_rounds.h"
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
database::Report WithData(database::Report report, const database::DataReport& data, TimePoint now);

class DatabaseFollower final : public Follower {
 public:
  struct Probes {
    std::unique_ptr<database::Probe> look;
    std::unique_ptr<database::Probe> fingerprint;
    // Null: rows are not compared.
    std::unique_ptr<database::DataRounds> data{};
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
  void RunData();
  // Whether a finding is new or gone, or nothing is pending any more.
  bool Take(database::DataReport data);

  const std::string signal_;
  const Probes probes_;
  const Cadence cadence_;
  const Sink sink_;
  const Clock& clock_;
  Pause look_pause_;
  Pause fingerprint_pause_;
  Pause data_pause_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::optional<database::Report> fingerprint_;
  std::optional<database::DataReport> data_;
  std::atomic<int> threads_running_;
  std::thread look_thread_;
  std::thread fingerprint_thread_;
  // Not started where rows are not compared.
  std::thread data_thread_;
};

}  // namespace headgate::signals
