#include "agents/endpoint/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "agents/core/cookie.h"
#include "agents/core/files.h"
#include "agents/endpoint/kept_room.h"
#include "agents/endpoint/readable.h"
#include "agents/endpoint/remembered.h"
#include "common/base/check.h"

namespace headgate::endpoint {
namespace {

constexpr std::uint32_t kRetryAfterSeconds = 10;
// An answer from before a lowering is on its way to nginx's cache for a while.
constexpr int kForgetAgain = 8;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

std::string NewInstance() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Rules RulesOf(const Settings& settings) {
  auto rules = MakeRules(settings.key, settings.bypass, settings.trusted_proxies);
  HEADGATE_CHECK(rules.ok());
  rules->new_cookies_per_minute = settings.new_cookies_per_minute;
  return *std::move(rules);
}

}  // namespace

FirstShare FirstShareOf(const Settings& settings, const std::optional<Share>& granted) {
  const absl::StatusOr<std::string> text = agent::ReadSmallFile(settings.share);
  if (absl::IsNotFound(text.status())) {
    const Share share =
        granted ? std::min(*granted, settings.bootstrap_share) : settings.bootstrap_share;
    return {{share.Width(), kRetryAfterSeconds}, ""};
  }
  const auto told =
      text.ok() ? agent::ParseShareFile(*text) : absl::StatusOr<agent::ShareFile>(text.status());
  const bool says_width = told.ok() && text->find(agent::kWidthEntry) != std::string::npos;
  if (says_width) return {*told, ""};
  return {{0, kRetryAfterSeconds},
          fmt::format("{} says no share ({}): nobody is admitted until a directive or "
                      "`headgate-agent override` says how many",
                      settings.share, told.ok() ? "no admit_w in it" : Words(told.status()))};
}

// What the forgetting thread has come to.
struct Endpoint::Forgetting {
  std::mutex mutex;
  // Protected by mutex.
  absl::Status status;
  int under_way = 0;
  absl::Status room;
  bool is_looking = false;
};

Endpoint::Endpoint(Settings settings, const std::optional<Share>& granted, OpenDoor open_door)
    : settings_(std::move(settings)),
      file_(settings_.share,
            fmt::format("after a restart the agent would admit bootstrap_share, {}",
                        settings_.bootstrap_share.ToString())),
      instance_(NewInstance()),
      first_(FirstShareOf(settings_, granted)),
      open_door_(std::move(open_door)),
      admission_(RulesOf(settings_), first_.share),
      desk_(admission_, {.gate = settings_.gate, .pages = settings_.pages}, settings_.slow_ms),
      answers_(settings_.slow_ms),
      prober_(settings_.gate, ProbeUrlOf(settings_.listen), settings_.key, settings_.listen.path),
      forgetting_(std::make_shared<Forgetting>()),
      follower_(settings_.share, admission_) {
  // From now on the file is the memory: another bootstrap share in the configuration changes
  // nothing. Where it cannot be written, each look says so.
  if (absl::IsNotFound(agent::ReadSmallFile(settings_.share).status())) {
    agent::ReplaceFile(settings_.share, agent::ShareFileText(first_.share)).IgnoreError();
  }
  // Damaged keys are none: until the agent's own state brings them again any cookie is a key.
  const absl::StatusOr<CookieKeys> keys = agent::ReadCookieKeys(KeysFile());
  if (keys.ok()) TakeCookieKeys(*keys);
  // Where nobody is admitted, no answer that is kept is right: an agent before this one may have
  // died before it had removed them, or was not allowed to.
  if (first_.share.width == 0) Forget();
  // The share is known: nobody waits for the keeper.
  Open().IgnoreError();
}

Endpoint::~Endpoint() = default;

absl::Status Endpoint::Open() {
  if (!server_) {
    auto server = Server::Start(
        {.listen = settings_.listen,
         .mode = settings_.mode,
         .group = settings_.group,
         .access_log = settings_.access_log,
         .limits = settings_.limits},
        desk_, [this](std::string_view datagram) { answers_.Take(settings_.gate, datagram); },
        counts_);
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
  }
  if (!door_ && settings_.ext_authz && open_door_) {
    auto door = open_door_(settings_, desk_);
    if (!door.ok()) return door.status();
    door_ = *std::move(door);
  }
  return absl::OkStatus();
}

agent::Reading Endpoint::Read() {
  agent::Reading reading;
  if (settings_.ext_authz) LetItBeRead(settings_.share, settings_.group);
  file_.Read(reading);
  // Or the keeper would take a lowering of the file that is still under way for damage, and mend
  // it.
  follower_.Look();
  reading.instance = instance_;
  if (const absl::Status opened = Open(); !opened.ok()) {
    agent::AddTrouble(reading.trouble, Words(opened));
  }
  if (!server_) return reading;
  const agent::ShareFile share = admission_.share();
  reading.in_force = agent::ShareOfWidth(share.width);
  reading.retry_after_s = share.retry_after_s;
  if (share == first_.share && !first_.trouble.empty()) {
    agent::AddTrouble(reading.trouble, first_.trouble);
  }
  if (settings_.key.kind == agent::UserKey::Kind::kCookie) {
    const absl::StatusOr<CookieKeys> file = agent::ReadCookieKeys(KeysFile());
    const CookieKeys memory = admission_.cookie_keys();
    reading.cookie_keys = file.ok() && *file == memory ? memory : CookieKeys{};
  }
  LookForRoom(reading);
  bool is_owed = false;
  {
    const std::lock_guard lock(forgetting_->mutex);
    if (!forgetting_->status.ok()) agent::AddTrouble(reading.trouble, Words(forgetting_->status));
    // What could not be removed is wrong for as long as it lies there.
    is_owed = !forgetting_->status.ok() && forgetting_->under_way == 0;
  }
  if (forget_again_ > 0 || is_owed) {
    forget_again_ = std::max(forget_again_ - 1, 0);
    Forget();
  }
  return reading;
}

agent::ApplyOutcome Endpoint::Put(const agent::Apply& apply) {
  const std::uint32_t before = admission_.share().width;
  agent::ApplyOutcome outcome = file_.Put(apply, [this](const agent::ShareFile& wanted) {
    admission_.Set(wanted);
    return absl::OkStatus();
  });
  if (outcome.in_memory.ok() && apply.share.Width() < before) {
    forget_again_ = kForgetAgain;
    Forget();
  }
  return outcome;
}

std::string Endpoint::KeysFile() const { return agent::CookieKeysFileOf(settings_.share); }

absl::Status Endpoint::PutCookieKeys(const CookieKeys& keys) {
  absl::Status written = agent::WriteCookieKeys(KeysFile(), keys);
  if (written.ok()) TakeCookieKeys(keys);
  return written;
}

absl::Status Endpoint::Foretell(const agent::Forecast& forecast) {
  desk_.Foretell(forecast);
  return absl::OkStatus();
}

void Endpoint::TakeCookieKeys(const CookieKeys& keys) {
  admission_.SetCookieKeys(keys);
  prober_.FollowKeys(keys);
}

void Endpoint::LookForRoom(agent::Reading& reading) {
  if (settings_.remembered.empty()) return;
  {
    const std::lock_guard lock(forgetting_->mutex);
    desk_.SayRoom(forgetting_->room.ok());
    if (!forgetting_->room.ok()) agent::AddTrouble(reading.trouble, Words(forgetting_->room));
    if (std::exchange(forgetting_->is_looking, true)) return;
  }
  forgetter_.Run([folder = settings_.remembered, forgetting = forgetting_] {
    absl::Status room = CheckRoomToKeep(folder);
    const std::lock_guard lock(forgetting->mutex);
    forgetting->room = std::move(room);
    forgetting->is_looking = false;
  });
}

void Endpoint::Forget() {
  if (settings_.remembered.empty()) return;
  {
    const std::lock_guard lock(forgetting_->mutex);
    ++forgetting_->under_way;
  }
  forgetter_.Run(
      [folder = settings_.remembered, width = admission_.share().width, forgetting = forgetting_] {
        absl::Status status = ForgetAnswers(folder, width);
        const std::lock_guard lock(forgetting->mutex);
        --forgetting->under_way;
        forgetting->status = std::move(status);
      });
}

absl::Status Endpoint::Try(Share share) {
  absl::Status status = prober_.Try(share);
  if (status.ok() || counts_.connections < settings_.limits.connections_max) return status;
  return absl::ResourceExhaustedError(
      fmt::format("all {} connections that the endpoint {} takes are in use, so that it answers "
                  "nobody else: who asks it must close them, or keep fewer",
                  settings_.limits.connections_max, settings_.listen.ToString()));
}

absl::StatusOr<agent::RawCounters> Endpoint::ReadCounters() {
  if (!server_) return absl::UnavailableError("the endpoint is not open");
  const AnswerCounts::Values values = answers_.values();
  const Decided decided = admission_.decided();
  agent::RawCounters raw;
  raw.instance = instance_;
  raw.refused = decided.refused;
  raw.new_cookies_refused = decided.limited;
  // Without the access log nothing is known of answers, and nothing is made up: no answer is
  // counted, so that none looks good.
  raw.bypassed = settings_.access_log ? values.bypassed : decided.bypassed;
  raw.answered = values.answered;
  raw.http_5xx = values.http_5xx;
  raw.connection_errors = values.connection_errors;
  raw.bypassed_5xx = values.bypassed_5xx;
  if (settings_.access_log) raw.slow = values.slow;
  return raw;
}

agent::Description Endpoint::Describe() const {
  return {"decision endpoint", settings_.key.ToString(),
          settings_.access_log ? settings_.slow_ms : std::vector<std::uint32_t>()};
}

}  // namespace headgate::endpoint
