// Watches the databases of the controller's own configuration all the time, with the probes of a
// gate: what an inconsistency is known by within minutes of its birth. It changes no share: a
// plan's inventory of the same name is another one, with probes of its own. Thread-safe; readings
// come on the followers' threads, which also write the history's file. Promises: each change of a
// verdict is logged once, counted, and kept; nothing here is waited for by the loop.
#pragma once

#include <prometheus/registry.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/log/log.h"
#include "controller/signals/signals.h"
#include "controller/watch/history.h"
#include "controller/watch/history_file.h"
#include "controller/watch/metrics.h"

namespace headgate::watch {

struct WatchOptions {
  std::vector<signals::DatabaseWatch> databases;
  // Where changes are kept over restarts; empty: nowhere.
  std::string history_file;
};

class Watch {
 public:
  // `clock`, `log` and `registry` must outlive it.
  Watch(const WatchOptions& options, const Clock& clock, Log& log, prometheus::Registry& registry);
  // Takes about a second at most.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  struct Database {
    std::string name;
    Known known;
  };
  struct View {
    // In the order of their names; one that was never looked at has no checks.
    std::vector<Database> databases;
    // Oldest first.
    std::vector<Change> changes;
  };
  // `name`: empty for all. Nothing of one that is not watched.
  View Show(const std::string& name) const;

 private:
  void Restore();
  void Take(const signals::Reading& reading);
  void Tell(const Change& change);
  void Write(const std::vector<Change>& changes);

  const Clock& clock_;
  Log& log_;
  mutable std::mutex mutex_;
  // Protected by mutex_.
  History history_;
  WatchMetrics metrics_;
  std::vector<std::string> names_;
  std::mutex file_mutex_;
  // Protected by file_mutex_.
  std::optional<HistoryFile> file_;
  bool was_written_ = true;
  // Last, so that it ends first: it calls Take.
  std::unique_ptr<signals::Signals> signals_;
};

}  // namespace headgate::watch
