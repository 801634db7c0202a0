// From the journal to a new reign; and who watches.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "controller/conductor/conductor.h"

namespace headgate::conductor {
namespace {

// In the timeline; no record of the engine has it.
constexpr std::uint64_t kReignToken = std::numeric_limits<std::uint64_t>::max();

absl::Status Unreadable(std::uint64_t sequence, const absl::Status& why) {
  return absl::DataLossError(fmt::format("journal entry {}: {}", sequence, why.ToString()));
}

// Clocks are disciplined; one that is further behind an order was set back.
constexpr Duration kClockSlack{5'000};

}  // namespace

absl::Status Conductor::Recover() {
  absl::Status status = dependencies_.journal == nullptr
                            ? absl::UnavailableError(dependencies_.journal_trouble)
                            : Replay();
  // Else a reign of its own, so that orders to lower are newer than whatever agents hold.
  if (!status.ok()) {
    Feed(engine::ReignLost{.why = std::string(status.message()),
                           .epoch = NextEpoch(),
                           .clock_is_behind = IsClockBehind()});
  }
  for (const engine::Inherited& decision : dependencies_.legacy.unrecorded) Feed(decision);
  return status;
}

Legacy Conductor::Leave() const {
  Legacy legacy{.epoch = state_.epoch, .unrecorded = {}};
  for (const auto& [name, gate] : state_.gates) {
    if (gate.exists && !gate.recorded) legacy.unrecorded.push_back({gate.record, gate.cause});
  }
  return legacy;
}

// A record holds the whole gate, so only the newest one of a gate must be readable in full: an
// older one whose plan the rules of today refuse is a line in the timeline and no more.
absl::Status Conductor::Replay() {
  absl::StatusOr<std::vector<journal::Entry>> entries = dependencies_.journal->ReadAll();
  if (!entries.ok()) return entries.status();
  std::map<std::string, absl::Status> unreadable;
  for (const journal::Entry& entry : *entries) {
    last_epoch_ = std::max(last_epoch_, entry.epoch);
    absl::StatusOr<JournalRecord> record = Decode(entry.payload, dependencies_.plan_from_source);
    const absl::Status whole = record.status();
    if (!whole.ok()) record = DecodeWithoutRestoration(entry.payload);
    if (!record.ok()) {
      // Half of the story is none: the gates are then those that agents report.
      state_ = engine::State();
      return Unreadable(entry.sequence, whole);
    }
    // An expiry is trusted as long as the clock is not behind the order that set it.
    if (record->change && record->change->record.open_until)
      newest_open_ = std::max(newest_open_, record->at);
    timeline_.Add(*record, entry.payload, entry.sequence, 0);
    if (!record->change) continue;
    unreadable.erase(record->change->record.gate);
    if (whole.ok()) {
      Feed(engine::Replayed{std::move(record->change->record)});
    } else {
      unreadable[record->change->record.gate] = Unreadable(entry.sequence, whole);
    }
  }
  if (!unreadable.empty()) {
    state_ = engine::State();
    return unreadable.begin()->second;
  }
  return BeginReign();
}

std::uint64_t Conductor::NextEpoch() const {
  return std::max({last_epoch_ + 1, dependencies_.adopted_epoch + 1, dependencies_.legacy.epoch + 1,
                   static_cast<std::uint64_t>(UnixMillis(now()) / 1000)});
}

bool Conductor::IsClockBehind() const { return now() + kClockSlack < newest_open_; }

absl::Status Conductor::BeginReign() {
  std::uint64_t epoch = NextEpoch();
  absl::Status status = dependencies_.journal->BeginReign(epoch);
  // A reign of this very second that came to no entry.
  if (absl::IsFailedPrecondition(status)) status = dependencies_.journal->BeginReign(++epoch);
  if (!status.ok()) return status;
  const JournalRecord record{
      .at = now(), .epoch = epoch, .controller = dependencies_.controller_name, .change = {}};
  const std::string payload = Encode(record);
  has_reign_ = true;
  timeline_.Add(record, payload, 0, kReignToken);
  Log& log = dependencies_.log;
  dependencies_.journal->Append(
      epoch, payload,
      [this, &log, &loop = dependencies_.loop](const absl::StatusOr<std::uint64_t>& sequence) {
        if (sequence.ok()) {
          loop.Post([this, at = *sequence] { timeline_.SetSequence(kReignToken, at); });
          return;
        }
        log.Error("record_failed", {{"why", std::string(sequence.status().message())}});
      });
  log.Info("reign_began", {{"epoch", epoch}});
  const bool clock_is_behind = IsClockBehind();
  if (clock_is_behind) {
    log.Warning("clock_is_behind",
                {{"journal", FormatTime(newest_open_)}, {"clock", FormatTime(now())}});
  }
  Feed(engine::ReignBegan{.epoch = epoch, .clock_is_behind = clock_is_behind});
  return absl::OkStatus();
}

std::uint64_t Conductor::Watch(const std::string& gate, std::function<void()> changed) {
  if (watchers_.size() >= kWatchersMax) return 0;
  const std::uint64_t id = next_watcher_++;
  watchers_[id] = Watcher{.gate = gate, .changed = std::move(changed), .told = now()};
  PaceWatchers();
  return id;
}

void Conductor::PaceWatchers() {
  if (is_pacing_ || watchers_.empty()) return;
  is_pacing_ = true;
  dependencies_.loop.After(kWatchPace, [this] { TellWatchers(); });
}

void Conductor::Unwatch(std::uint64_t watcher) { watchers_.erase(watcher); }

void Conductor::TellWatchers() {
  is_pacing_ = false;
  std::vector<std::uint64_t> due;
  for (auto& [id, watcher] : watchers_) {
    if (!watcher.is_dirty && now() - watcher.told < kWatchHeartbeat) continue;
    watcher.is_dirty = false;
    watcher.told = now();
    due.push_back(id);
  }
  // Who is told may stop watching, and may end another's watch.
  for (const std::uint64_t id : due) {
    const auto found = watchers_.find(id);
    if (found == watchers_.end()) continue;
    const std::function<void()> changed = found->second.changed;
    changed();
  }
  PaceWatchers();
}

}  // namespace headgate::conductor
