#include "agents/nginx/nginx.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/bucket.h"

namespace headgate::nginx {
namespace {

// Binaries that run beside each other: an upgrade of an upgrade.
constexpr std::size_t kInstancesMax = 8;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

std::uint64_t Of(const Counts& counts, const std::string& name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

std::string SlowName(std::uint32_t threshold_ms) { return fmt::format("slow_{}", threshold_ms); }

}  // namespace

Nginx::Nginx(Settings settings)
    : settings_(std::move(settings)),
      file_(settings_.share, "nginx would admit nobody after a restart"),
      control_(settings_.gate, settings_.probe_url, settings_.token),
      prober_(settings_.gate, settings_.probe_url, settings_.key),
      counters_(absl::UnavailableError("not read yet")),
      counted_slow_(settings_.slow_ms) {}

agent::Reading Nginx::Read() {
  agent::Reading reading;
  file_.Read(reading);
  const absl::StatusOr<Told> told = control_.Ask();
  if (!told.ok()) {
    agent::AddTrouble(reading.trouble, Words(told.status()));
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
    agent::AddTrouble(reading.trouble, missing);
  }
  if (told->share_file && *told->share_file != Hash64(settings_.share)) {
    agent::AddTrouble(
        reading.trouble,
        fmt::format(
            "nginx takes its share at a start from another file than {}: the gate's Lua was "
            "printed with another --share than the agent's configuration has (share)",
            settings_.share));
  }
  counters_ = Sum(*told);
  ReadCookieKeys(*told, reading);
  return reading;
}

// nginx reads the file that the agent writes, each worker within a quarter of a second.
void Nginx::ReadCookieKeys(const Told& told, agent::Reading& reading) {
  if (settings_.key.kind != agent::UserKey::Kind::kCookie) return;
  if (!told.cookie_keys) {
    agent::AddTrouble(reading.trouble,
                      "nginx does not verify the gate's cookie, so that people can make up one "
                      "that is admitted: print the snippet again, and install libssl3");
    return;
  }
  const absl::StatusOr<CookieKeys> file = agent::ReadCookieKeys(KeysFile());
  const bool is_read =
      file.ok() && (file->empty() || *told.cookie_keys == Hash64(agent::CookieKeysText(*file)));
  reading.cookie_keys = is_read ? *file : CookieKeys{};
  prober_.FollowKeys(is_read ? reading.cookie_keys : std::nullopt);
}

absl::Status Nginx::PutCookieKeys(const CookieKeys& keys) {
  if (absl::Status status = agent::WriteCookieKeys(KeysFile(), keys); !status.ok()) return status;
  const absl::StatusOr<Told> told = control_.Ask();
  if (!told.ok()) return told.status();
  if (told->cookie_keys == Hash64(agent::CookieKeysText(keys))) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "nginx does not read the cookie keys of {}: let the group of its workers read that file",
      KeysFile()));
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
    raw.new_cookies_refused += Of(counts, "new_cookies_refused");
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
  return agent::MissingSlow("nginx", settings_.slow_ms, counted_slow_);
}

agent::ApplyOutcome Nginx::Put(const agent::Apply& apply) {
  return file_.Put(apply, [this](const agent::ShareFile& wanted) { return Set(wanted); });
}

absl::Status Nginx::Set(const agent::ShareFile& wanted) const {
  const absl::StatusOr<Told> told = control_.Set(wanted);
  if (!told.ok()) return told.status();
  if (told->share == wanted) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "nginx did not take {} {}, {} {}: it reads back {}, {}", agent::kWidthEntry, wanted.width,
      agent::kRetryAfterEntry, wanted.retry_after_s, told->share.width, told->share.retry_after_s));
}

absl::Status Nginx::Try(Share share) { return prober_.Try(share); }

agent::Description Nginx::Describe() const {
  return {version_.empty() ? "" : "nginx " + version_, settings_.key.ToString(), counted_slow_};
}

}  // namespace headgate::nginx
