#include "controller/watch/watch.h"

#include <algorithm>
#include <utility>

namespace headgate::watch {

Watch::Watch(const WatchOptions& options, const Clock& clock, Log& log,
             prometheus::Registry& registry)
    : clock_(clock), log_(log), metrics_(registry) {
  if (!options.history_file.empty()) file_.emplace(options.history_file);
  std::vector<signals::SignalSpec> specs;
  for (const signals::DatabaseWatch& database : options.databases) {
    names_.push_back(database.inventory.name);
    specs.push_back({.name = database.inventory.name, .source = database});
  }
  std::sort(names_.begin(), names_.end());
  Restore();
  signals_ = std::make_unique<signals::Signals>(
      [this](const signals::Reading& reading) { Take(reading); }, clock_);
  signals_->Follow(std::move(specs));
}

Watch::~Watch() { signals_.reset(); }

void Watch::Restore() {
  if (!file_) return;
  std::size_t skipped = 0;
  const auto changes = file_->Read(&skipped);
  if (skipped > 0) log_.Warning("database_history_damaged", {{"lines_skipped", skipped}});
  if (!changes.ok()) {
    if (!absl::IsNotFound(changes.status())) {
      log_.Warning("database_history_unreadable",
                   {{"why", std::string(changes.status().message())}});
    }
    return;
  }
  for (const Change& change : *changes) history_.Restore(change);
}

void Watch::Take(const signals::Reading& reading) {
  const auto* database = std::get_if<signals::DatabaseReading>(&reading.value);
  if (database == nullptr) return;
  std::vector<Change> changes;
  {
    const std::lock_guard lock(mutex_);
    changes = history_.Take(reading.signal, database->report, clock_.WallNow());
    metrics_.Show(reading.signal, history_.databases().at(reading.signal));
    for (const Change& change : changes) metrics_.CountChange(change);
  }
  for (const Change& change : changes) Tell(change);
  Write(changes);
}

void Watch::Tell(const Change& change) {
  const Log::Fields fields = {{"database", change.database},
                              {"check", NameOf(change.check)},
                              {"from", change.from ? NameOf(*change.from) : "not watched"},
                              {"to", NameOf(change.to)},
                              {"why", change.why}};
  if (change.to == Verdict::kHealthy) {
    log_.Info("database_verdict", fields);
  } else if (change.to == Verdict::kFailed) {
    log_.Error("database_verdict", fields);
  } else {
    log_.Warning("database_verdict", fields);
  }
}

void Watch::Write(const std::vector<Change>& changes) {
  if (!file_ || changes.empty()) return;
  const std::lock_guard lock(file_mutex_);
  const absl::Status written = file_->Append(changes);
  if (!written.ok()) {
    metrics_.CountUnwritten();
    // Once for each time that it begins.
    if (std::exchange(was_written_, false)) {
      log_.Error("database_history_unwritten", {{"why", std::string(written.message())}});
    }
    return;
  }
  was_written_ = true;
}

Watch::View Watch::Show(const std::string& name) const {
  View view;
  const std::lock_guard lock(mutex_);
  for (const std::string& watched : names_) {
    if (!name.empty() && watched != name) continue;
    const auto known = history_.databases().find(watched);
    view.databases.push_back(
        {.name = watched, .known = known == history_.databases().end() ? Known() : known->second});
  }
  for (const Change& change : history_.changes()) {
    if (name.empty() || change.database == name) view.changes.push_back(change);
  }
  return view;
}

}  // namespace headgate::watch
