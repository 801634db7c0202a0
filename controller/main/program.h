// headgated itself: builds every room, runs until it is told to stop, and takes them down in order.
// While it runs it looks around every kLookEvery, on main's thread: whether a certificate was
// renewed, whether its listeners still take connections, and whether what it lacked at its start
// can be had by now. Of main's thread.
#pragma once

#include <prometheus/registry.h>

#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/systemd/service.h"
#include "common/tls/renewal.h"
#include "controller/conductor/conductor.h"
#include "controller/journal/sqlite_journal.h"
#include "controller/main/doors.h"
#include "controller/main/metrics.h"
#include "controller/main/options.h"
#include "controller/signals/signals.h"
#include "controller/watch/watch.h"

namespace headgate {

inline constexpr Duration kLookEvery{5'000};

class Program {
 public:
  enum class End { kStopped, kFailed, kStartOver };

  // `service` must outlive it. `legacy` is what the one before it left, which was to be built anew.
  Program(Options options, systemd::Service& service, conductor::Legacy legacy);
  // Returns on one of `signals`, which every thread blocks; or to be built and run again, because
  // what it lacked at its start can be had: that is a restart, which raises nothing.
  End Run(const sigset_t& signals);
  // After Run.
  conductor::Legacy Leave() const { return conductor_ ? conductor_->Leave() : legacy_; }

 private:
  // What /readyz says; written by main's thread, read by the listener's.
  class Readiness {
   public:
    void Set(absl::Status status);
    absl::Status Get() const;

   private:
    mutable std::mutex mutex_;
    absl::Status status_ = absl::UnavailableError("starting");
  };

  absl::Status Start();
  absl::Status LoadCertificate();
  // Without a journal the program starts all the same: an operator must be able to close the gate.
  void OpenJournal();
  void BuildRooms();
  // A file that cannot be used is told, and keeps nobody from closing a gate.
  void WatchDatabases();
  absl::Status Serve();
  void ShowReadiness();
  // Again and again, on the loop's thread: one that hangs is noticed.
  void SayThatWeLive();
  // How it ended, or nothing: it goes on.
  std::optional<End> LookAround();
  bool CanHaveWhatItLacked();
  void LookAtCertificate();

  // With the ports that were taken, once they are.
  Options options_;
  systemd::Service& service_;
  const conductor::Legacy legacy_;
  SteadyClock clock_;
  Log log_;
  // Shared, as prometheus-cpp wants it.
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  ProgramMetrics program_metrics_;
  Readiness readiness_;
  // Why this reign only lowers, or why only root on this host is served.
  absl::Status recovered_;
  absl::Status certificate_trouble_;
  std::optional<tls::Renewal> renewal_;
  Loop loop_;
  conductor::ConductorMetrics metrics_;
  std::unique_ptr<journal::SqliteJournal> journal_;
  std::string journal_trouble_;
  std::unique_ptr<signals::Signals> signals_;
  std::unique_ptr<watch::Watch> watch_;
  // Why databases that should be watched are not.
  absl::Status watch_trouble_;
  std::unique_ptr<conductor::Conductor> conductor_;
  std::optional<Doors> doors_;
};

}  // namespace headgate
