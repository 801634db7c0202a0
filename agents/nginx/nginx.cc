#include "agents/nginx/nginx.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "agents/core/files.h"

namespace headgate::nginx {
namespace {

// Binaries that run beside each other: an upgrade of an upgrade.
constexpr std::size_t kInstancesMax = 8;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

void AddTrouble(std::string& trouble, const std::string& words) {
  if (!trouble.empty()) trouble += "; ";
  trouble += words;
}

std::uint64_t Of(const Counts& counts, const std::string& name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

std::string SlowName(std::uint32_t threshold_ms) { return fmt::format("slow_{}", threshold_ms); }

}  // namespace

Nginx::Nginx(Settings settings)
    : settings_(std::move(settings)),
      control_(settings_.gate, settings_.probe_url, settings_.token),
      prober_(settings_.gate, settings_.probe_url, settings_.key),
      counters_(absl::UnavailableError("not read yet")),
      counted_slow_(settings_.slow_ms) {}

agent::Reading Nginx::Read() {
  agent::Reading reading;
  ReadFile(reading);
  const absl::StatusOr<Told> told = control_.Ask();
  if (!told.ok()) {
    AddTrouble(reading.trouble, Words(told.status()));
    counters_ = told.status();
    return reading;
  }
  version_ = told->version;
  reading.in_force = agent::ShareOfWidth(told->share.width);
  reading.retry_after_s = told->share.retry_after_s;
  reading.instance = told->instance;
  counted_slow_.clear();
  for (const std::uint32_t threshold : settings_.slow_ms) {
    if (told->counts.count(SlowName(threshold)) > 0) counted_slow_.push_back(threshold);
  }
  if (const std::string missing = MissingSlow(); !missing.empty()) {
    AddTrouble(reading.trouble, missing);
  }
  counters_ = Sum(*told);
  return reading;
}

void Nginx::ReadFile(agent::Reading& reading) const {
  const absl::StatusOr<std::string> text = agent::ReadSmallFile(settings_.share);
  if (!text.ok()) {
    AddTrouble(reading.trouble,
               Words(text.status()) + ": nginx would admit nobody after a restart");
    return;
  }
  const absl::StatusOr<agent::ShareFile> share = agent::ParseShareFile(*text);
  if (!share.ok()) {
    AddTrouble(reading.trouble, fmt::format("{}: {}", settings_.share, Words(share.status())));
    return;
  }
  reading.at_next_start = agent::ShareOfWidth(share->width);
}

agent::RawCounters Nginx::Sum(const Told& told) {
  by_instance_[told.instance] = told.counts;
  // What an instance of long ago counted stays counted: only its name is forgotten.
  while (by_instance_.size() > kInstancesMax) {
    auto oldest = by_instance_.begin();
    if (oldest->first == told.instance || oldest->first.empty()) ++oldest;
    const Counts counts = oldest->second;
    by_instance_.erase(oldest);
    for (const auto& [name, count] : counts) by_instance_[""][name] += count;
  }
  agent::RawCounters raw;
  raw.instance = "nginx";
  for (const auto& [instance, counts] : by_instance_) {
    raw.answered += Of(counts, "answered");
    raw.http_5xx += Of(counts, "http_5xx");
    raw.connection_errors += Of(counts, "connection_errors");
    raw.refused += Of(counts, "refused");
    raw.bypassed += Of(counts, "bypassed");
    raw.bypassed_5xx += Of(counts, "bypassed_5xx");
    for (const std::uint32_t threshold : counted_slow_) {
      raw.slow[threshold] += Of(counts, SlowName(threshold));
    }
  }
  const std::uint64_t answered = Of(told.counts, "answered") - Of(told.counts, "bypassed");
  const std::uint64_t admitted = Of(told.counts, "admitted");
  raw.in_flight = admitted > answered ? admitted - answered : 0;
  return raw;
}

std::string Nginx::MissingSlow() const {
  if (counted_slow_ == settings_.slow_ms) return "";
  std::vector<std::uint32_t> missing;
  std::set_difference(settings_.slow_ms.begin(), settings_.slow_ms.end(), counted_slow_.begin(),
                      counted_slow_.end(), std::back_inserter(missing));
  return fmt::format(
      "nginx does not count answers slower than {} ms, which the agent's configuration names "
      "(slow): print the snippet again with the same --slow",
      fmt::join(missing, " ms, "));
}

absl::Status Nginx::Write(const agent::Apply& apply) {
  const std::string text = agent::ShareFileText({apply.share.Width(), apply.retry_after_s});
  const absl::StatusOr<std::string> present = agent::ReadSmallFile(settings_.share);
  if (present.ok() && *present == text) return absl::OkStatus();
  return agent::ReplaceFile(settings_.share, text);
}

absl::Status Nginx::Sync() { return agent::MakeDurable(settings_.share); }

// The file first, without waiting for the disk: a restart in between then reads the same share.
agent::ApplyOutcome Nginx::Put(const agent::Apply& apply) {
  agent::ApplyOutcome outcome;
  outcome.at_next_start = Write(apply);
  if (apply.direction == agent::Direction::kUp && !outcome.at_next_start.ok()) {
    outcome.in_memory = agent::NotRaised(apply.share, outcome.at_next_start);
    return outcome;
  }
  const agent::ShareFile wanted{apply.share.Width(), apply.retry_after_s};
  const absl::StatusOr<Told> told = control_.Set(wanted);
  if (!told.ok()) {
    outcome.in_memory = told.status();
  } else if (told->share != wanted) {
    outcome.in_memory = absl::FailedPreconditionError(
        fmt::format("nginx did not take {} {}, {} {}: it reads back {}, {}", agent::kWidthEntry,
                    wanted.width, agent::kRetryAfterEntry, wanted.retry_after_s, told->share.width,
                    told->share.retry_after_s));
  }
  return outcome;
}

absl::Status Nginx::Try(Share share) { return prober_.Try(share); }

agent::Description Nginx::Describe() const {
  return {version_.empty() ? "" : "nginx " + version_, settings_.key.ToString(), counted_slow_};
}

}  // namespace headgate::nginx
