#include "agents/envoy/envoy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agents/envoy/counts.h"

namespace headgate::envoy {
namespace {

// Uptime comes in whole seconds.
constexpr Duration kStartSlack{2500};

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

Envoy::Envoy(Settings settings)
    : settings_(std::move(settings)),
      gate_{settings_.gate, settings_.app_clusters},
      file_(settings_.share, "Envoy would not start without it", FormOf(gate_)),
      admin_(settings_.admin),
      probes_(settings_.gate, settings_.probe_url, settings_.key),
      counters_(absl::UnavailableError("not read yet")),
      counted_slow_(settings_.slow_ms) {}

agent::Reading Envoy::Read() {
  agent::Reading reading;
  file_.Read(reading);
  const absl::StatusOr<Enforced> enforced = ReadEnforced();
  if (!enforced.ok()) {
    agent::AddTrouble(reading.trouble, Words(enforced.status()));
    counters_ = enforced.status();
    return reading;
  }
  counters_ = Count();
  if (!counters_.ok()) agent::AddTrouble(reading.trouble, Words(counters_.status()));
  reading.in_force = agent::ShareOfWidth(enforced->found.share.width);
  // 0 is never right: weights that do not fit each other are set anew, whatever they say.
  reading.retry_after_s = enforced->found.fits ? enforced->found.share.retry_after_s : 0;
  reading.instance = fmt::format("envoy#{}", generation_);
  if (!enforced->trouble.empty()) agent::AddTrouble(reading.trouble, enforced->trouble);
  if (!counters_.ok()) return reading;
  const std::string missing = agent::MissingSlow("Envoy", settings_.slow_ms, counted_slow_);
  if (!missing.empty()) agent::AddTrouble(reading.trouble, missing);
  return reading;
}

absl::StatusOr<Envoy::Enforced> Envoy::ReadEnforced() const {
  const absl::StatusOr<Runtime> runtime = admin_.ReadRuntime();
  if (!runtime.ok()) return runtime.status();
  Enforced enforced;
  enforced.is_pinned = true;
  const auto entry = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = runtime->entries.find(name);
    if (found == runtime->entries.end()) return std::nullopt;
    return found->second.in_force;
  };
  for (const auto& [name, value] : EntriesOf(gate_, {})) {
    const auto found = runtime->entries.find(name);
    enforced.is_pinned = enforced.is_pinned && found != runtime->entries.end() &&
                         !found->second.by_layer.back().empty();
  }
  enforced.found = FoundIn(gate_, entry);
  if (!enforced.found.fits) {
    enforced.trouble = fmt::format(
        "the weights below {} in Envoy's runtime do not fit each other: somebody else has "
        "changed them, or app_clusters in agent.yaml are not those of the snippet's --app-cluster",
        PrefixOf(settings_.gate));
  }
  const auto& layers = runtime->layers;
  const bool has_layer =
      std::find(layers.begin(), layers.end(), LayerOf(settings_.gate)) != layers.end();
  if (!has_layer) {
    agent::AddTrouble(enforced.trouble,
                      fmt::format("Envoy's layered_runtime has no layer {}, so that it would admit "
                                  "nobody after a restart: paste that part of the snippet",
                                  LayerOf(settings_.gate)));
  }
  return enforced;
}

void Envoy::NoteProcess(const Stats& stats) {
  const auto uptime = stats.counts.find(kUptime);
  const std::uint64_t uptime_s = uptime == stats.counts.end() ? 0 : uptime->second;
  const TimePoint started =
      SteadyClock().Now() - std::chrono::duration_cast<Duration>(std::chrono::seconds(uptime_s));
  const bool is_new =
      !uptime_s_ || uptime_s < *uptime_s_ || std::chrono::abs(started - started_) > kStartSlack;
  uptime_s_ = uptime_s;
  if (is_new || version_.empty()) version_ = admin_.ReadVersion().value_or("");
  if (!is_new) return;
  started_ = started;
  ++generation_;
}

absl::StatusOr<agent::RawCounters> Envoy::Count() {
  const absl::StatusOr<Stats> stats = admin_.ReadStats(FilterOf(gate_));
  if (!stats.ok()) return stats.status();
  NoteProcess(*stats);
  absl::StatusOr<agent::RawCounters> raw = CountersFrom(*stats, gate_, settings_.slow_ms);
  if (!raw.ok()) return raw.status();
  raw->instance = fmt::format("envoy#{}", generation_);
  counted_slow_.clear();
  for (const auto& [threshold, count] : raw->slow) counted_slow_.push_back(threshold);
  return raw;
}

// Until the agent has set a share since Envoy's start, Envoy follows the file at once: a raise must
// be durable first.
absl::Status Envoy::Write(const agent::Apply& apply) {
  if (apply.direction == agent::Direction::kUp) {
    const absl::StatusOr<Enforced> enforced = ReadEnforced();
    if (!enforced.ok()) return enforced.status();
    if (!enforced->is_pinned) {
      const absl::Status pinned = Set(enforced->found.share);
      if (!pinned.ok()) return pinned;
    }
  }
  return file_.Write(apply);
}

agent::ApplyOutcome Envoy::Put(const agent::Apply& apply) {
  return file_.Put(apply, [this](const agent::ShareFile& wanted) { return Set(wanted); });
}

absl::Status Envoy::Set(const agent::ShareFile& wanted) const {
  if (absl::Status status = admin_.Set(EntriesOf(gate_, wanted)); !status.ok()) return status;
  const absl::StatusOr<Enforced> enforced = ReadEnforced();
  if (!enforced.ok()) return enforced.status();
  const Found& found = enforced->found;
  if (found.fits && found.share == wanted) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "Envoy was told a width of {} and reads back {}{}: in its layered_runtime another layer "
      "stands above the admin_layer, or there is none",
      wanted.width, found.share.width, found.fits ? "" : " with weights that do not fit it"));
}

agent::Description Envoy::Describe() const {
  return {version_.empty() ? "" : "envoy " + version_, settings_.key.ToString(), counted_slow_};
}

}  // namespace headgate::envoy
