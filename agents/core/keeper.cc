#include "agents/core/keeper.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "agents/core/local_override.h"
#include "agents/core/share_store.h"

namespace headgate::agent {
namespace {

std::string_view Name(Stage stage) {
  switch (stage) {
    case Stage::kIdle:
      return "IDLE";
    case Stage::kReceived:
      return "RECEIVED";
    case Stage::kApplied:
      return "APPLIED";
    case Stage::kObserved:
      return "OBSERVED";
    case Stage::kRefused:
      return "REFUSED";
  }
  return "";
}

// A damaged state is a lost one: the load balancer's own map is the memory then.
std::optional<Memory> LoadOrSay(Store& store, std::string& trouble) {
  absl::StatusOr<std::optional<Memory>> memory = store.LoadMemory();
  if (memory.ok()) return *std::move(memory);
  trouble = fmt::format("{}: the load balancer is left as it is until a directive comes",
                        std::string(memory.status().message()));
  return std::nullopt;
}

}  // namespace

Keeper::Keeper(std::string gate, const Rails& rails, Parts parts, TimePoint now)
    : parts_(std::move(parts)),
      name_(std::move(gate)),
      gate_(name_, rails, LoadOrSay(parts_.store, memory_trouble_), now),
      foreteller_(parts_.time_zone),
      has_saved_(parts_.store.HasMemory()) {
  KeepRoom();
  if (memory_trouble_.empty()) return;
  parts_.log.Error("state_lost", {{"gate", name_}, {"trouble", memory_trouble_}});
}

void Keeper::OnWallClock(TimePoint wall, TimePoint now) {
  const Duration ahead = wall - now;
  if (std::chrono::abs(ahead - wall_ahead_) >= kWallStepMin) wall_ahead_ = ahead;
}

std::optional<Refusal> Keeper::Take(const Offer& offer, TimePoint now) {
  std::optional<Refusal> refusal = gate_.Consider(offer, now);
  if (refusal) {
    parts_.log.Warning("directive_refused", {{"gate", name_}, {"detail", refusal->detail}});
    return refusal;
  }
  foreteller_.Take(offer.outlook);
  Mend(now);
  return std::nullopt;
}

void Keeper::Tick(TimePoint now) {
  LookAtOverride(now);
  if (HasLostFolder()) gate_.OnMemoryLost();
  LookAtLoadBalancer();
  Mend(now);
  StartSync();
  LookAtCounters(now);
  MendFiles(now);
  Foretell(now);
}

void Keeper::LookAtCounters(TimePoint now) {
  const absl::StatusOr<RawCounters> raw = parts_.enforcer.ReadCounters();
  if (!raw.ok()) return summer_.MarkSilent();
  summer_.Add(*raw, now);
  if (!reading_.in_force) return;
  const CounterSums& sums = summer_.sums();
  gate_.OnCounted(refuter_.Weigh({.in_force = *reading_.in_force,
                                  .instance = raw->instance,
                                  .admitted = sums.admitted,
                                  .refused = sums.refused,
                                  .in_flight = raw->in_flight},
                                 now));
}

void Keeper::LookAtOverride(TimePoint now) {
  absl::StatusOr<std::optional<LocalOverride>> loaded = parts_.store.LoadOverride();
  if (!loaded.ok()) {
    gate_.SetOverride(std::nullopt, loaded.status());
    return;
  }
  // The word of a person, in the wall clock's time; from here on in the agent's own.
  const std::optional<LocalOverride> written = *loaded;
  if (!written && (owes_override_ || HasLostFolder())) return RestoreOverride(now);
  owes_override_ = false;
  if (written && written->until) *(*loaded)->until -= wall_ahead_;
  const bool has_ended = written && written->until && now >= *(*loaded)->until;
  if (has_ended) {
    // If it cannot be removed it is still over: its time stands in it.
    *loaded = InForceAt(**loaded, now);
    const absl::Status removed = parts_.store.EndOverride(*written, *loaded);
    parts_.log.Info("override_ended", {{"gate", name_}, {"removed", removed.ok()}});
    KeepRoom();
  }
  gate_.SetOverride(*std::move(loaded), absl::OkStatus());
}

// Whoever releases takes one file away. If the agent's own went with it, nobody has released
// anything: the word stands, and is written again as soon as that can be. Nobody can leave a new
// one meanwhile, either: what is lowered at the load balancer stays as low.
void Keeper::RestoreOverride(TimePoint now) {
  absl::Status status = absl::NotFoundError(
      "what this agent saved is not there any more: until it is saved again nothing is raised");
  const std::optional<LocalOverride> word = Describe(now).local_override;
  const absl::Status restored = word ? parts_.store.SaveOverride(*word) : absl::OkStatus();
  owes_override_ = !restored.ok();
  if (!restored.ok()) status = restored;
  gate_.SetOverride(std::nullopt, status);
}

void Keeper::LookAtLoadBalancer() {
  const std::string before = reading_.instance;
  reading_ = parts_.enforcer.Read();
  // A load balancer that has just started may know of nothing that was told before.
  if (reading_.instance != before) foreteller_.Forget();
  if (!memory_trouble_.empty() && reading_.trouble.empty()) reading_.trouble = memory_trouble_;
  if (!files_status_.ok()) AddTrouble(reading_.trouble, std::string(files_status_.message()));
  gate_.Observe(reading_);
}

void Keeper::Mend(TimePoint now) {
  for (int i = 0; i < kDutiesPerTurnMax; ++i) {
    const Duty duty = gate_.NextDuty(now);
    if (std::holds_alternative<Nothing>(duty)) break;
    if (const auto* apply = std::get_if<Apply>(&duty)) {
      if (apply->direction == Direction::kDown) {
        Do(*apply, now);
      } else if (!raise_) {
        BeginRaise(*apply, now);
      } else {
        break;
      }
    }
    if (const auto* save = std::get_if<Save>(&duty)) {
      // What comes after a save waits for it, and what comes before does not.
      if (is_saving_) break;
      // Once it is there again, a missing override is a released one.
      if (HasLostFolder()) LookAtOverride(now);
      Start(*save);
    }
    if (const auto* put = std::get_if<PutKeys>(&duty)) {
      if (is_putting_keys_) break;
      Start(*put);
    }
    if (const auto* probe = std::get_if<Probe>(&duty)) {
      if (is_probing_) break;
      Start(*probe);
    }
  }
  LogChange(now);
}

bool Keeper::IsStillDue(const Apply& apply, TimePoint now) {
  LookAtOverride(now);
  const Duty duty = gate_.NextDuty(now);
  const auto* due = std::get_if<Apply>(&duty);
  return due != nullptr && *due == apply;
}

void Keeper::Do(const Apply& apply, TimePoint now) {
  // The operator's word may have come since the last tick, and stands above every directive.
  if (!IsStillDue(apply, now)) return;
  // A raise that still waits for the disk is overtaken.
  raise_.reset();
  const ApplyOutcome outcome = parts_.enforcer.Put(apply);
  needs_sync_ = needs_sync_ || outcome.at_next_start.ok();
  Note(apply, outcome, now);
  StartSync();
}

void Keeper::Note(const Apply& apply, const ApplyOutcome& outcome, TimePoint now) {
  ++applied_;
  refuter_.BeginAnew();
  if (!outcome.in_memory.ok() || !outcome.at_next_start.ok()) ++failed_;
  gate_.OnApplied(apply, outcome, now);
  LookAtLoadBalancer();
}

void Keeper::BeginRaise(const Apply& apply, TimePoint now) {
  if (!IsStillDue(apply, now)) return;
  const absl::Status written = parts_.enforcer.Write(apply);
  if (!written.ok()) return Note(apply, {NotRaised(apply.share, written), written}, now);
  raise_ = apply;
  needs_sync_ = true;
  StartSync();
}

void Keeper::FinishRaise(const absl::Status& synced, TimePoint now) {
  const Apply apply = *std::exchange(raise_, std::nullopt);
  if (!synced.ok()) return Note(apply, {NotRaised(apply.share, synced), synced}, now);
  // The disk took its time.
  LookAtLoadBalancer();
  if (IsStillDue(apply, now)) Note(apply, parts_.enforcer.Put(apply), now);
}

void Keeper::StartSync() {
  if (is_syncing_ || !needs_sync_) return;
  is_syncing_ = true;
  needs_sync_ = false;
  parts_.syncing.Run(
      [&enforcer = parts_.enforcer, report = parts_.report] { report(Synced{enforcer.Sync()}); });
}

void Keeper::KeepRoom() {
  parts_.saving.Run([&store = parts_.store, &log = parts_.log, name = name_] {
    const absl::Status kept = store.KeepRoom();
    if (kept.ok()) return;
    log.Warning("no_room_kept", {{"gate", name}, {"why", std::string(kept.message())}});
  });
}

// On the thread of what is written: nothing that is enforced waits for it.
void Keeper::Foretell(TimePoint now) {
  if (is_foretelling_ || !reading_.in_force) return;
  std::optional<Forecast> next = foreteller_.Next(gate_.Describe(now), now, now + wall_ahead_);
  if (!next) return;
  is_foretelling_ = true;
  parts_.saving.Run([next = *std::move(next), &enforcer = parts_.enforcer, report = parts_.report] {
    report(Foretold{enforcer.Foretell(next)});
  });
}

// Also before the gate exists, and with the load balancer down: it may wait for them.
void Keeper::MendFiles(TimePoint now) {
  if (is_mending_ || now < mend_not_before_) return;
  is_mending_ = true;
  mend_not_before_ = now + kMendFilesEvery;
  parts_.saving.Run([&enforcer = parts_.enforcer, report = parts_.report] {
    report(FilesMended{enforcer.MendFiles()});
  });
}

void Keeper::Start(const Save& save) {
  is_saving_ = true;
  parts_.saving.Run([save, &store = parts_.store, report = parts_.report] {
    report(Saved{save, store.SaveMemory(save.memory)});
  });
}

void Keeper::Start(const Probe& probe) {
  is_probing_ = true;
  parts_.probing.Run([probe, &enforcer = parts_.enforcer, report = parts_.report] {
    report(Probed{probe, enforcer.Try(probe.share)});
  });
}

void Keeper::Start(const PutKeys& put) {
  is_putting_keys_ = true;
  parts_.saving.Run([put, &enforcer = parts_.enforcer, report = parts_.report] {
    report(KeysPut{enforcer.PutCookieKeys(put.keys)});
  });
}

void Keeper::OnDone(const Done& done, TimePoint now) {
  if (const auto* saved = std::get_if<Saved>(&done)) {
    is_saving_ = false;
    if (saved->status.ok()) {
      memory_trouble_.clear();
      has_saved_ = true;
    }
    gate_.OnSaved(saved->save, saved->status, now);
  }
  if (const auto* synced = std::get_if<Synced>(&done)) {
    is_syncing_ = false;
    // What was written meanwhile is not durable yet. After a failure the next tick tries again.
    if (synced->status.ok() && needs_sync_) return StartSync();
    needs_sync_ = !synced->status.ok();
    gate_.OnSynced(synced->status);
    if (raise_) FinishRaise(synced->status, now);
  }
  if (const auto* put = std::get_if<KeysPut>(&done)) {
    is_putting_keys_ = false;
    gate_.OnKeysPut(put->status, now);
    LookAtLoadBalancer();
  }
  if (const auto* foretold = std::get_if<Foretold>(&done)) {
    is_foretelling_ = false;
    if (foreteller_.OnTold(foretold->status, now)) {
      const std::string why(foretold->status.message());
      parts_.log.Warning("no_forecast", {{"gate", name_}, {"why", why}});
    }
  }
  if (const auto* mended = std::get_if<FilesMended>(&done)) {
    is_mending_ = false;
    files_status_ = mended->status;
  }
  if (const auto* probed = std::get_if<Probed>(&done)) {
    is_probing_ = false;
    gate_.OnProbed(probed->probe, probed->status, now);
  }
}

Standing Keeper::Describe(TimePoint now) const {
  Standing standing = gate_.Describe(now);
  if (standing.local_override && standing.local_override->until) {
    *standing.local_override->until += wall_ahead_;
  }
  return standing;
}

void Keeper::LogChange(TimePoint now) {
  Standing standing = Describe(now);
  if (standing == logged_) return;
  const Log::Fields fields = {{"gate", name_},
                              {"version", standing.version.ToString()},
                              {"stage", Name(standing.stage)},
                              {"enforced", standing.enforced.ToString()},
                              {"unsaved", standing.unsaved},
                              {"expired", standing.expired},
                              {"overridden", standing.local_override.has_value()},
                              {"refusal", standing.refusal ? standing.refusal->detail : ""},
                              {"trouble", standing.trouble}};
  if (standing.refusal || !standing.trouble.empty()) {
    parts_.log.Warning("gate_changed", fields);
  } else {
    parts_.log.Info("gate_changed", fields);
  }
  logged_ = std::move(standing);
}

}  // namespace headgate::agent
