#include "agents/haproxy/haproxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agents/core/cookie.h"
#include "agents/haproxy/names.h"
#include "common/base/bucket.h"

namespace headgate::haproxy {
namespace {

// The answers of one look, in the order of the commands.
enum Answers : std::size_t {
  kInfo,
  kWidth,
  kRetryAfter,
  kApp,
  kWait,
  kTable,
  kNewCookies,
  kAnswers
};
// Behind those, where the key is the gate's own cookie. An empty map's answer may be missing.
constexpr std::size_t kCookieMap = kAnswers;

constexpr std::int64_t kRetryAfterMax = 3600;
constexpr char kAllProxies[] = "-1";
constexpr char kWithoutSocket[] =
    "what it enforces stays; `headgate-agent lower` goes by its file alone, which "
    "`systemctl reload haproxy` puts in force";

std::string Words(const absl::Status& status) { return std::string(status.message()); }

// By name or number.
std::string ShowBackend(const std::string& proxy) {
  return fmt::format("show stat {} 2 -1", proxy);
}

}  // namespace

Haproxy::Haproxy(Settings settings)
    : settings_(std::move(settings)),
      file_(settings_.map, "HAProxy would not start without it"),
      socket_(settings_.socket),
      cookie_map_(agent::CookieKeysFileOf(settings_.map), KnownTableOf(settings_.gate), socket_),
      forecast_map_(agent::ForecastFileOf(settings_.map), socket_),
      prober_(settings_.gate, settings_.probe_url, settings_.key),
      app_backend_(settings_.app_backend),
      counters_(absl::UnavailableError("not read yet")),
      counted_slow_(settings_.slow_ms) {}

std::string Haproxy::SetCommand(const char* verb, const char* entry, std::uint32_t value) const {
  return fmt::format("{} map {} {} {}", verb, settings_.map, entry, value);
}

std::string Haproxy::GetCommand(const char* entry) const {
  return fmt::format("get map {} {}", settings_.map, entry);
}

agent::Reading Haproxy::Read() {
  agent::Reading reading;
  reading.needs_file_to_start = true;
  file_.Read(reading);
  const absl::Status status = ReadMemory(reading);
  if (!status.ok()) {
    reading.in_force.reset();
    if (KnowsCookies()) reading.cookie_keys = cookie_map_.InFile();
    agent::AddTrouble(reading.trouble, fmt::format("{} ({})", Words(status), kWithoutSocket));
    counters_ = status;
  } else if (!counters_.ok()) {
    agent::AddTrouble(reading.trouble, Words(counters_.status()));
  } else if (const std::string missing = MissingSlow(); !missing.empty()) {
    agent::AddTrouble(reading.trouble, missing);
  }
  if (process_) reading.instance = fmt::format("{}#{}", process_->pid, generation_);
  return reading;
}

void Haproxy::NoteProcess(const ProcessInfo& info) {
  const bool is_new = !process_ || process_->pid != info.pid || info.uptime_s < process_->uptime_s;
  if (is_new) ++generation_;
  process_ = info;
}

absl::Status Haproxy::ReadMemory(agent::Reading& reading) {
  const std::string limited = NewCookiesBackendOf(settings_.gate);
  std::vector<std::string> questions = {"show info",
                                        GetCommand(agent::kWidthEntry),
                                        GetCommand(agent::kRetryAfterEntry),
                                        ShowBackend(app_backend_),
                                        ShowBackend(settings_.wait_backend),
                                        fmt::format("show table {}", settings_.wait_backend),
                                        ShowBackend(limited)};
  if (KnowsCookies()) questions.push_back(cookie_map_.ShowCommand());
  const absl::StatusOr<std::string> answer = socket_.Ask(questions);
  if (!answer.ok()) return answer.status();
  const std::vector<std::string> answers = SplitAnswers(*answer);
  if (answers.size() < kAnswers) {
    return absl::UnavailableError(
        fmt::format("{} answered {} of {} questions: it is not HAProxy's stats socket, or HAProxy "
                    "is about to stop",
                    settings_.socket, answers.size(), static_cast<std::size_t>(kAnswers)));
  }
  const absl::StatusOr<ProcessInfo> info = ParseInfo(answers[kInfo]);
  if (!info.ok()) return info.status();
  NoteProcess(*info);
  const absl::StatusOr<MapEntries> entries = EntriesFrom(answers[kWidth], answers[kRetryAfter]);
  if (!entries.ok()) return entries.status();
  // A missing entry is 0, as in the snippet.
  const std::int64_t width = std::clamp<std::int64_t>(entries->width.value_or(0), 0, kBuckets);
  reading.in_force = agent::ShareOfWidth(static_cast<std::uint32_t>(width));
  reading.retry_after_s = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(entries->retry_after_s.value_or(0), 0, kRetryAfterMax));
  counters_ = CountersFrom(answers);
  if (KnowsCookies())
    ReadCookieMap(answers.size() > kCookieMap ? answers[kCookieMap] : "", reading);
  return absl::OkStatus();
}

void Haproxy::ReadCookieMap(const std::string& answer, agent::Reading& reading) {
  const absl::StatusOr<CookieKeys> memory = ParseCookieMap(answer);
  prober_.FollowKeys(memory.ok() ? *memory : CookieKeys{});
  if (absl::IsNotFound(memory.status())) {
    agent::AddTrouble(reading.trouble, Words(memory.status()));
  } else {
    reading.cookie_keys = memory.ok() ? cookie_map_.Agreed(*memory) : CookieKeys{};
  }
}

// By its name HAProxy finds a frontend of that name before the backend; by its number the right
// one.
absl::StatusOr<BackendRow> Haproxy::AppFrom(const std::string& answer) {
  absl::StatusOr<BackendRow> app = ParseBackend(settings_.app_backend, answer);
  if (!absl::IsNotFound(app.status())) return app;
  const absl::StatusOr<std::string> all = socket_.Ask({ShowBackend(kAllProxies)});
  if (!all.ok()) return all.status();
  app = ParseBackend(settings_.app_backend, *all);
  app_backend_ = app.ok() ? std::to_string(app->number) : settings_.app_backend;
  return app;
}

// HAProxy is asked for the pages just after the requests that they were of: a page in between must
// not take back a refusal that was told.
std::uint64_t Haproxy::RefusedOf(const std::string& instance, std::uint64_t at_least) {
  refused_ = instance == refused_instance_ ? std::max(refused_, at_least) : at_least;
  refused_instance_ = instance;
  return refused_;
}

absl::StatusOr<agent::RawCounters> Haproxy::CountersFrom(const std::vector<std::string>& answers) {
  const auto app = AppFrom(answers[kApp]);
  if (!app.ok()) return app.status();
  const auto wait = ParseBackend(settings_.wait_backend, answers[kWait]);
  if (!wait.ok()) return wait.status();
  auto counts = ParseCounts(settings_.wait_backend, answers[kTable]);
  if (!counts.ok()) return counts.status();
  // The snippet itself tells which threshold each place counts; one of before it did so is believed
  // to have been printed with the agent's own.
  const std::vector<std::uint32_t> printed = prober_.slow_ms().value_or(settings_.slow_ms);
  const std::size_t page_place = PageCountOf(printed.size());
  // Without an entry nothing has been counted yet.
  if (counts->empty()) counts->resize(page_place + 1);
  if (counts->size() < kSlowCounts) {
    return absl::FailedPreconditionError(
        fmt::format("the table of '{}' has no place for bypassed requests: paste part 3 of the "
                    "snippet again",
                    settings_.wait_backend));
  }
  // Which place counts what nobody knows if there are more or less of them.
  const bool counts_pages = counts->size() == page_place + 1;
  const bool is_known = counts->size() == page_place || counts_pages;
  agent::RawCounters raw;
  raw.instance = fmt::format("{}#{}", process_->pid, generation_);
  raw.answered = app->requests;
  raw.http_5xx = app->http_5xx;
  raw.bypassed = (*counts)[kBypassedCount];
  raw.bypassed_5xx = (*counts)[kBypassed5xxCount];
  raw.connection_errors = app->connection_errors + app->retries;
  // Without a limit there is no such backend.
  const auto limited = ParseBackend(NewCookiesBackendOf(settings_.gate), answers[kNewCookies]);
  raw.new_cookies_refused = limited.ok() ? limited->requests : 0;
  const std::uint64_t pages = counts_pages ? (*counts)[page_place] : 0;
  const std::uint64_t refused = wait->requests - std::min(wait->requests, pages);
  raw.refused = RefusedOf(raw.instance, refused) + raw.new_cookies_refused;
  raw.in_flight = app->in_flight;
  counted_slow_.clear();
  for (std::size_t i = 0; is_known && i < printed.size(); ++i) {
    const auto& wanted = settings_.slow_ms;
    if (std::find(wanted.begin(), wanted.end(), printed[i]) == wanted.end()) continue;
    raw.slow[printed[i]] = (*counts)[kSlowCounts + i];
    counted_slow_.push_back(printed[i]);
  }
  return raw;
}

std::string Haproxy::MissingSlow() const {
  return agent::MissingSlow("HAProxy", settings_.slow_ms, counted_slow_);
}

agent::ApplyOutcome Haproxy::Put(const agent::Apply& apply) {
  return file_.Put(apply, [this](const agent::ShareFile& wanted) { return SetMap(wanted); });
}

// HAProxy answers a refused `set map` with words or with nothing, as a success: only reading it
// back tells.
absl::Status Haproxy::SetMap(const agent::ShareFile& values) const {
  const absl::StatusOr<std::string> answer =
      socket_.Ask({SetCommand("set", agent::kWidthEntry, values.width),
                   SetCommand("set", agent::kRetryAfterEntry, values.retry_after_s)});
  if (!answer.ok()) return answer.status();
  absl::StatusOr<MapEntries> entries = GetMap();
  if (!entries.ok()) return entries.status();
  std::vector<std::string> missing;
  if (!entries->width) missing.push_back(SetCommand("add", agent::kWidthEntry, values.width));
  if (!entries->retry_after_s) {
    missing.push_back(SetCommand("add", agent::kRetryAfterEntry, values.retry_after_s));
  }
  if (!missing.empty()) {
    if (const auto added = socket_.Ask(missing); !added.ok()) return added.status();
    entries = GetMap();
    if (!entries.ok()) return entries.status();
  }
  const std::int64_t width = entries->width.value_or(-1);
  const std::int64_t retry_after_s = entries->retry_after_s.value_or(-1);
  if (width == values.width && retry_after_s == values.retry_after_s) return absl::OkStatus();
  std::string words = *answer;
  std::replace(words.begin(), words.end(), '\n', ' ');
  return absl::FailedPreconditionError(
      fmt::format("HAProxy did not take {} {}, {} {}: it reads back {}, {}{}{}", agent::kWidthEntry,
                  values.width, agent::kRetryAfterEntry, values.retry_after_s, width, retry_after_s,
                  words.find_first_not_of(' ') == std::string::npos ? "" : ": ", words));
}

absl::StatusOr<Haproxy::MapEntries> Haproxy::GetMap() const {
  const absl::StatusOr<std::string> answer =
      socket_.Ask({GetCommand(agent::kWidthEntry), GetCommand(agent::kRetryAfterEntry)});
  if (!answer.ok()) return answer.status();
  const std::vector<std::string> answers = SplitAnswers(*answer);
  if (answers.size() < 2) {
    return absl::UnavailableError(fmt::format("{} did not answer to get map", settings_.socket));
  }
  return EntriesFrom(answers[0], answers[1]);
}

absl::StatusOr<Haproxy::MapEntries> Haproxy::EntriesFrom(
    const std::string& width_answer, const std::string& retry_after_answer) const {
  const auto width = ParseMapEntry(width_answer);
  const auto retry_after_s = ParseMapEntry(retry_after_answer);
  if (absl::IsNotFound(width.status())) {
    return absl::FailedPreconditionError(fmt::format(
        "HAProxy has not loaded the map {}: paste the gate's snippet and reload", settings_.map));
  }
  if (!width.ok()) return width.status();
  if (!retry_after_s.ok()) return retry_after_s.status();
  return MapEntries{*width, *retry_after_s};
}

absl::Status Haproxy::MendFiles() {
  const absl::Status keys = KnowsCookies() ? cookie_map_.MendFile() : absl::OkStatus();
  const absl::Status forecast = forecast_map_.MendFile();
  return keys.ok() ? forecast : keys;
}

absl::Status Haproxy::Try(Share share) { return prober_.Try(share); }

absl::StatusOr<agent::RawCounters> Haproxy::ReadCounters() { return counters_; }

agent::Description Haproxy::Describe() const {
  return agent::Description{process_ ? "haproxy " + process_->version : "",
                            settings_.key.ToString(), counted_slow_};
}

}  // namespace headgate::haproxy
