#include "controller/signals/database_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/duration.h"

namespace headgate::signals {
namespace {

database::Finding Unknown(const char* kind, std::string text) {
  return {.severity = database::Severity::kUnknown,
          .drains = false,
          .kind = kind,
          .server = "primary",
          .text = std::move(text)};
}

}  // namespace

database::Report Merge(database::Report look, const std::optional<database::Report>& fingerprint,
                       Duration age_max) {
  if (!fingerprint.has_value()) {
    look.findings.push_back(
        Unknown(database::kNotComparedYet, "the schemas have not been compared yet"));
    return look;
  }
  const Duration age = look.observed_at - fingerprint->observed_at;
  if (age > age_max) {
    look.findings.push_back(
        Unknown("schema_unread", fmt::format("the schemas were last compared {} ago, over {}",
                                             FormatDuration(age), FormatDuration(age_max))));
  }
  look.findings.insert(look.findings.end(), fingerprint->findings.begin(),
                       fingerprint->findings.end());
  look.notes.insert(look.notes.end(), fingerprint->notes.begin(), fingerprint->notes.end());
  return look;
}

database::Report WithData(database::Report report, const database::DataReport& data,
                          TimePoint now) {
  report.findings.insert(report.findings.end(), data.findings.begin(), data.findings.end());
  report.notes.insert(report.notes.end(), data.notes.begin(), data.notes.end());
  report.pending = data.pending;
  report.progress = database::DescribeWhole(data.standing, now) + data.progress;
  report.data = data.standing;
  return report;
}

DatabaseFollower::DatabaseFollower(std::string signal, Probes probes, const Cadence& cadence,
                                   Sink sink, const Clock& clock)
    : signal_(std::move(signal)),
      probes_(std::move(probes)),
      cadence_(cadence),
      sink_(std::move(sink)),
      clock_(clock),
      data_(probes_.data ? std::optional(probes_.data->Told()) : std::nullopt),
      threads_running_(probes_.data ? 3 : 2),
      look_thread_([this] { RunLooks(); }),
      fingerprint_thread_([this] { RunFingerprints(); }) {
  if (probes_.data) data_thread_ = std::thread([this] { RunData(); });
}

DatabaseFollower::~DatabaseFollower() {
  Stop();
  look_thread_.join();
  fingerprint_thread_.join();
  if (data_thread_.joinable()) data_thread_.join();
}

void DatabaseFollower::Stop() {
  look_pause_.Stop();
  fingerprint_pause_.Stop();
  data_pause_.Stop();
  probes_.look->Interrupt();
  probes_.fingerprint->Interrupt();
  if (probes_.data) probes_.data->Interrupt();
}

void DatabaseFollower::RunLooks() {
  TimePoint at = clock_.Now();
  do {
    database::Report look = probes_.look->Look(clock_);
    std::optional<database::Report> fingerprint;
    std::optional<database::DataReport> data;
    {
      const std::lock_guard lock(mutex_);
      fingerprint = fingerprint_;
      data = data_;
    }
    if (look_pause_.IsStopped()) break;
    const TimePoint observed_at = look.observed_at;
    database::Report report =
        Merge(std::move(look), fingerprint, kFingerprintsMissedMax * cadence_.fingerprint);
    if (data) report = WithData(std::move(report), *data, clock_.Now());
    sink_({signal_, observed_at, DatabaseReading{std::move(report)}});
    at = std::max(at + cadence_.look, clock_.Now());
  } while (look_pause_.Until(at, clock_));
  --threads_running_;
}

void DatabaseFollower::RunFingerprints() {
  TimePoint began;
  do {
    began = clock_.Now();
    database::Report report = probes_.fingerprint->Fingerprint(clock_);
    if (fingerprint_pause_.IsStopped()) break;
    {
      const std::lock_guard lock(mutex_);
      fingerprint_ = std::move(report);
    }
    // Told with a fresh look, at once.
    look_pause_.Nudge();
    // A nudge ends the wait for the next; Gap keeps nudges from following each other too closely.
  } while (fingerprint_pause_.Until(began + cadence_.fingerprint, clock_) &&
           fingerprint_pause_.Gap(began + kFingerprintGapMin, clock_));
  --threads_running_;
}

bool DatabaseFollower::Take(database::DataReport data) {
  const std::lock_guard lock(mutex_);
  const bool is_new =
      data.findings != data_->findings || data.pending.empty() != data_->pending.empty();
  data_ = std::move(data);
  return is_new;
}

void DatabaseFollower::RunData() {
  Duration rest{0};
  do {
    rest = probes_.data->Step();
    if (data_pause_.IsStopped()) break;
    if (Take(probes_.data->Told())) look_pause_.Nudge();
  } while (data_pause_.Gap(clock_.Now() + rest, clock_));
  --threads_running_;
}

}  // namespace headgate::signals
