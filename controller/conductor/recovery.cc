// From the journal to a new reign; and who watches.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/conductor/conductor.h"

namespace headgate::conductor {

absl::Status Conductor::Recover() {
  absl::Status status = dependencies_.journal == nullptr
                            ? absl::UnavailableError(dependencies_.journal_trouble)
                            : Replay();
  if (status.ok()) return status;
  // A reign of its own, so that orders to lower are newer than whatever agents hold.
  const auto epoch = static_cast<std::uint64_t>(UnixMillis(now()) / 1000);
  Feed(engine::ReignLost{.why = std::string(status.message()), .epoch = epoch});
  return status;
}

absl::Status Conductor::Replay() {
  absl::StatusOr<std::vector<journal::Entry>> entries = dependencies_.journal->ReadAll();
  if (!entries.ok()) return entries.status();
  std::uint64_t last_epoch = 0;
  for (const journal::Entry& entry : *entries) {
    last_epoch = std::max(last_epoch, entry.epoch);
    absl::StatusOr<JournalRecord> record = Decode(entry.payload, dependencies_.plan_from_source);
    if (!record.ok()) {
      return absl::DataLossError(
          fmt::format("journal entry {}: {}", entry.sequence, record.status().ToString()));
    }
    timeline_.Add(*record, entry.payload, entry.sequence, 0);
    if (record->change) Feed(engine::Replayed{std::move(record->change->record)});
  }
  return BeginReign(last_epoch);
}

absl::Status Conductor::BeginReign(std::uint64_t last_epoch) {
  // Unix seconds, so that a journal that was lost does not lock the operator out.
  const auto seconds = static_cast<std::uint64_t>(UnixMillis(now()) / 1000);
  const std::uint64_t epoch = std::max(last_epoch + 1, seconds);
  if (absl::Status status = dependencies_.journal->BeginReign(epoch); !status.ok()) return status;
  const JournalRecord record{
      .at = now(), .epoch = epoch, .controller = dependencies_.controller_name, .change = {}};
  const std::string payload = Encode(record);
  timeline_.Add(record, payload, 0, 0);
  Log& log = dependencies_.log;
  dependencies_.journal->Append(
      epoch, payload, [&log](const absl::StatusOr<std::uint64_t>& sequence) {
        if (sequence.ok()) return;
        log.Error("record_failed", {{"why", std::string(sequence.status().message())}});
      });
  log.Info("reign_began", {{"epoch", epoch}});
  Feed(engine::ReignBegan{epoch});
  return absl::OkStatus();
}

std::uint64_t Conductor::Watch(const std::string& gate, std::function<void()> changed) {
  if (watchers_.size() >= kWatchersMax) return 0;
  const std::uint64_t id = next_watcher_++;
  watchers_[id] = Watcher{.gate = gate, .changed = std::move(changed), .told = now()};
  if (watchers_.size() == 1) {
    dependencies_.loop.After(kWatchPace, [this] { TellWatchers(); });
  }
  return id;
}

void Conductor::Unwatch(std::uint64_t watcher) { watchers_.erase(watcher); }

void Conductor::TellWatchers() {
  std::vector<std::function<void()>> due;
  for (auto& [id, watcher] : watchers_) {
    if (!watcher.is_dirty && now() - watcher.told < kWatchHeartbeat) continue;
    watcher.is_dirty = false;
    watcher.told = now();
    due.push_back(watcher.changed);
  }
  // Outside of the map: who is told may stop watching.
  for (const std::function<void()>& changed : due) changed();
  if (!watchers_.empty()) dependencies_.loop.After(kWatchPace, [this] { TellWatchers(); });
}

}  // namespace headgate::conductor
