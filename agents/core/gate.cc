#include "agents/core/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agents/core/local_override.h"
#include "common/base/check.h"
#include "common/base/duration.h"

namespace headgate::agent {
namespace {

constexpr std::uint32_t kRetryAfterDefaultSeconds = 10;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

absl::Status NotRaised(Share share, const absl::Status& at_next_start) {
  return absl::FailedPreconditionError(
      fmt::format("not raised to {}, because a reload would take users out again: {}",
                  share.ToString(), Words(at_next_start)));
}

Gate::Gate(std::string name, Rails rails, std::optional<Memory> memory, TimePoint now)
    : name_(std::move(name)), rails_(rails), saved_(std::move(memory)), last_step_up_(now) {
  if (!saved_) return;
  seen_ = saved_->directive;
  granted_ = saved_->granted;
  fresh_until_ = now;
}

std::optional<Share> Gate::Known() const {
  return reading_.in_force ? reading_.in_force : reading_.at_next_start;
}

// Lowers what is granted to the directive's share, at once and whatever the disk does.
void Gate::LowerGranted() {
  if (!seen_) return;
  if (!granted_) granted_ = Known();
  if (!granted_) return;
  granted_ = std::min(*granted_, seen_->share);
  // "Enforce the lower of this share and your own": one's own is what is really in force.
  if (seen_->no_raise && held_ && !override_) granted_ = std::min(*granted_, *held_);
}

std::optional<Refusal> Gate::Consider(const Offer& offer, TimePoint now) {
  const Directive& directive = offer.directive;
  HEADGATE_CHECK(directive.gate == name_);
  const Version highest = seen_ ? seen_->version : Version{};
  const auto refuse = [&](RefusalCode code, std::string detail) {
    refusal_ = Refusal{code, std::move(detail), directive.version, highest};
    return refusal_;
  };
  if (DigestOf(directive) != offer.digest) {
    return refuse(RefusalCode::kCorrupt,
                  fmt::format("directive {} does not fit its digest {:016x}: nothing was changed",
                              directive.version.ToString(), offer.digest));
  }
  if (seen_ && directive.version.epoch < highest.epoch) {
    return refuse(RefusalCode::kStaleEpoch,
                  fmt::format("directive {} is of an older reign than {}: a newer controller has "
                              "spoken. Stop this one; or, where it is the only one and its clock "
                              "or journal is behind, `headgated --adopt-epoch {}` reigns above",
                              directive.version.ToString(), highest.ToString(), highest.epoch));
  }
  if (seen_ && directive.version < highest) {
    return refuse(RefusalCode::kStaleVersion,
                  fmt::format("directive {} is older than {}", directive.version.ToString(),
                              highest.ToString()));
  }
  if (seen_ && directive.version == highest && directive != *seen_) {
    return refuse(RefusalCode::kDigestMismatch,
                  fmt::format("directive {} says {} where the same version said {} before: two "
                              "controllers, or a broken one",
                              directive.version.ToString(), directive.share.ToString(),
                              seen_->share.ToString()));
  }
  const bool is_news = !seen_ || *seen_ != directive;
  seen_ = directive;
  fresh_until_ = now + offer.valid_for;
  refusal_.reset();
  if (is_news) {
    apply_not_before_ = save_not_before_ = keys_not_before_ = probe_not_before_ = TimePoint();
    LowerGranted();
  }
  return std::nullopt;
}

void Gate::SetOverride(std::optional<LocalOverride> local_override, absl::Status status) {
  override_status_ = std::move(status);
  // What cannot be read is not released: the last word that could be read stands.
  if (!override_status_.ok()) return;
  if (override_ == local_override) return;
  override_ = local_override;
  apply_not_before_ = TimePoint();
  // Whoever carried it out, `headgate-agent lower` itself or this agent: what it ends is no share
  // to go back to without a fresh directive.
  if (override_ && held_) held_ = std::min(*held_, override_->share);
}

void Gate::Observe(const Reading& reading) {
  if (reading.instance != reading_.instance) {
    probed_.reset();
    probe_status_ = absl::OkStatus();
    apply_not_before_ = probe_not_before_ = TimePoint();
  }
  reading_ = reading;
  // What failed and is so all the same is no trouble any more, and needs no other attempt.
  if (applied_ && IsInForce(*applied_) && reading_.at_next_start == applied_) {
    apply_status_ = file_status_ = absl::OkStatus();
  }
  if (reading_.in_force) found_ = reading_.in_force;
  if (!LacksKeys()) keys_status_ = absl::OkStatus();
  if (!held_) held_ = reading_.in_force;
  if (!granted_) LowerGranted();
}

void Gate::OnSaved(const Save& save, const absl::Status& status, TimePoint now) {
  save_status_ = status;
  if (!status.ok()) {
    save_not_before_ = now + kSaveRetry;
    return;
  }
  saved_ = save.memory;
  // Saving took its time: a directive that came meanwhile stands above what was saved.
  const bool is_current = seen_ && save.memory.directive == *seen_;
  if (!save.is_raise || !is_current || !MayGrant(now)) return;
  granted_ = save.memory.granted;
  last_step_up_ = now;
  apply_not_before_ = TimePoint();
}

void Gate::OnApplied(const Apply& apply, const ApplyOutcome& outcome, TimePoint now) {
  apply_status_ = outcome.in_memory;
  file_status_ = outcome.at_next_start;
  applied_ = apply.share;
  if (apply_status_.ok()) held_ = apply.share;
  if (apply.direction == Direction::kDown && file_status_.ok()) is_synced_ = false;
  // After a success too: should it read back otherwise all the same, this is no busy loop.
  apply_not_before_ = now + kApplyRetry;
  if (!probed_ || *probed_ != apply.share) {
    probed_.reset();
    probe_status_ = absl::OkStatus();
    probe_not_before_ = now;
  }
}

void Gate::OnKeysPut(const absl::Status& status, TimePoint now) {
  keys_status_ = status;
  // After a success too: should it read back otherwise all the same, this is no busy loop.
  keys_not_before_ = now + (status.ok() ? kApplyRetry : kKeysRetry);
}

void Gate::OnSynced(const absl::Status& status) {
  sync_status_ = status;
  is_synced_ = status.ok();
}

void Gate::OnProbed(const Probe& probe, const absl::Status& status, TimePoint now) {
  if (probe.instance != reading_.instance || !IsInForce(probe.share)) {
    // An answer about what is not there any more proves and refutes nothing.
    probe_not_before_ = now;
    return;
  }
  probe_status_ = status;
  probe_not_before_ = now + (status.ok() ? kProbeRenewal : kProbeRetry);
  probed_.reset();
  if (status.ok()) probed_ = probe.share;
}

std::optional<LocalOverride> Gate::WordAt(TimePoint now) const {
  return override_ ? InForceAt(*override_, now) : std::nullopt;
}

std::optional<Share> Gate::Desired(TimePoint now) const {
  const std::optional<Share> wanted = Wanted(now);
  if (override_status_.ok() || !wanted || !Known()) return wanted;
  // The word that cannot be read may be a lowering, and what is found its work.
  return std::min(*wanted, *Known());
}

std::optional<Share> Gate::Wanted(TimePoint now) const {
  const std::optional<LocalOverride> word = WordAt(now);
  if (word && !word->is_ceiling) return word->share;
  if (!seen_) {
    if (!word || !Known()) return std::nullopt;
    return std::min(*Known(), word->share);
  }
  if (!granted_) return std::nullopt;
  Share share = *granted_;
  if (word) share = std::min(share, word->share);
  const bool may_rise = IsFresh(now) && !seen_->no_raise && override_status_.ok();
  if (may_rise) return share;
  if (held_) return std::min(share, *held_);
  if (!Known()) return std::nullopt;
  return std::min(share, *Known());
}

// What a start may admit where nothing is left that says it. It waits for no renewal: the load
// balancer may wait for the file.
std::optional<Share> Gate::ForAStart(TimePoint now) const {
  if (reading_.in_force) {
    const bool is_nobodys = !Desired(now) && reading_.needs_file_to_start;
    return is_nobodys ? reading_.in_force : std::nullopt;
  }
  // A word that cannot be read may be a lowering.
  if (!override_status_.ok()) return std::nullopt;
  if (const std::optional<Share> desired = Desired(now)) return desired;
  const std::optional<LocalOverride> word = WordAt(now);
  if (!granted_ || !word) return granted_;
  return std::min(*granted_, word->share);
}

bool Gate::WantsRaise() const {
  return seen_ && granted_ && !seen_->no_raise && seen_->share > *granted_;
}

std::optional<std::string> Gate::RailAgainst(Share share, TimePoint now) const {
  if (rails_.freeze) return "this agent is frozen by its own configuration (rails.freeze)";
  if (rails_.step_up_max && share.ppm() - granted_->ppm() > rails_.step_up_max->ppm()) {
    return fmt::format("from {} to {} is more than the largest step up, {} (rails.step_up_max)",
                       granted_->ToString(), share.ToString(), rails_.step_up_max->ToString());
  }
  const TimePoint due = last_step_up_ + rails_.between_steps_up_min;
  if (now < due) {
    return fmt::format(
        "the next step up may come at {}, {} after the last (rails.between_steps_up)",
        FormatTimeOfDay(due), FormatDuration(rails_.between_steps_up_min));
  }
  return std::nullopt;
}

bool Gate::MayGrant(TimePoint now) const {
  return WantsRaise() && IsFresh(now) && override_status_.ok() && !RailAgainst(seen_->share, now);
}

Save Gate::NextSave(TimePoint now) const {
  if (MayGrant(now)) return Save{Memory{*seen_, seen_->share}, true};
  return Save{Memory{*seen_, *granted_}, false};
}

std::uint32_t Gate::RetryAfter() const {
  if (seen_) return seen_->retry_after_s;
  return reading_.retry_after_s != 0 ? reading_.retry_after_s : kRetryAfterDefaultSeconds;
}

bool Gate::IsInForce(Share share) const { return reading_.in_force == share; }

bool Gate::LacksKeys() const {
  return seen_ && !seen_->cookie_keys.empty() && reading_.cookie_keys &&
         *reading_.cookie_keys != seen_->cookie_keys;
}

Duty Gate::NextDuty(TimePoint now) const {
  const std::optional<Share> desired = Desired(now);
  const bool apply_due = now >= apply_not_before_;
  if (desired && apply_due) {
    // A file that admits more than it should is a lowering too: a reload would jump up. Where the
    // share in force is yet to rise, the file comes down to that first, and waits for no save.
    const bool too_high = (reading_.in_force && *reading_.in_force > *desired) ||
                          (reading_.at_next_start && *reading_.at_next_start > *desired);
    if (too_high) {
      return Apply{std::min(*desired, reading_.in_force.value_or(*desired)), RetryAfter(),
                   Direction::kDown};
    }
  }
  if (!reading_.at_next_start && apply_due) {
    const std::optional<Share> share = ForAStart(now);
    if (share) return Apply{*share, RetryAfter(), Direction::kDown};
  }
  if (seen_ && granted_ && now >= save_not_before_) {
    const Save save = NextSave(now);
    if (!saved_ || *saved_ != save.memory) return save;
  }
  // With the load balancer down they are put into its file.
  const bool keys_due = LacksKeys() && now >= keys_not_before_;
  if (keys_due && !reading_.in_force) return PutKeys{seen_->cookie_keys};
  if (!desired || !reading_.in_force) return Nothing{};
  if (apply_due) {
    if (*reading_.in_force < *desired) return Apply{*desired, RetryAfter(), Direction::kUp};
    const bool same = reading_.at_next_start == desired && reading_.retry_after_s == RetryAfter();
    if (!same) return Apply{*desired, RetryAfter(), Direction::kDown};
  }
  if (keys_due) return PutKeys{seen_->cookie_keys};
  if (IsInForce(*desired) && now >= probe_not_before_) {
    return Probe{*desired, reading_.instance};
  }
  return Nothing{};
}

std::optional<Refusal> Gate::CurrentRefusal(TimePoint now) const {
  if (refusal_ || !seen_) return refusal_;
  const auto refuse = [&](RefusalCode code, std::string detail) {
    return Refusal{code, std::move(detail), seen_->version, seen_->version};
  };
  const std::optional<Share> desired = Desired(now);
  if (!save_status_.ok() && WantsRaise()) {
    return refuse(RefusalCode::kDisk, fmt::format("not raised to {}, because it could not be "
                                                  "saved: {}",
                                                  seen_->share.ToString(), Words(save_status_)));
  }
  if (!reading_.in_force) return refuse(RefusalCode::kLoadBalancer, reading_.trouble);
  if (!file_status_.ok() && desired && *reading_.in_force < *desired) {
    return refuse(RefusalCode::kDisk, Words(apply_status_.ok() ? file_status_ : apply_status_));
  }
  if (!apply_status_.ok() && desired && !IsInForce(*desired)) {
    return refuse(RefusalCode::kLoadBalancer, Words(apply_status_));
  }
  if (WantsRaise() && IsFresh(now)) {
    if (const auto rail = RailAgainst(seen_->share, now)) return refuse(RefusalCode::kRail, *rail);
  }
  for (const absl::Status& proof : {probe_status_, counted_status_}) {
    if (proof.ok() || !desired || !IsInForce(*desired)) continue;
    return refuse(RefusalCode::kLoadBalancer, Words(proof));
  }
  return std::nullopt;
}

std::string Gate::Trouble() const {
  std::string trouble = reading_.trouble;
  const auto add = [&](const absl::Status& status) {
    if (status.ok() || trouble.find(Words(status)) != std::string::npos) return;
    if (!trouble.empty()) trouble += "; ";
    trouble += Words(status);
  };
  add(apply_status_);
  add(file_status_);
  add(sync_status_);
  add(keys_status_);
  add(probe_status_);
  add(counted_status_);
  add(save_status_);
  add(override_status_);
  return trouble;
}

Stage Gate::CurrentStage(TimePoint now, bool refused) const {
  if (refused) return Stage::kRefused;
  if (!seen_) return Stage::kIdle;
  const std::optional<Share> desired = Desired(now);
  // APPLIED speaks of the directive; while the operator's word stands in its place, it is not.
  const bool is_directives = desired && granted_ && *desired == *granted_ && !WantsRaise();
  const bool lowered_by_no_raise = desired && seen_->no_raise && !WordAt(now);
  if (!is_directives && !lowered_by_no_raise) return Stage::kReceived;
  if (!IsInForce(*desired) || LacksKeys()) return Stage::kReceived;
  return probed_ == desired ? Stage::kObserved : Stage::kApplied;
}

Standing Gate::Describe(TimePoint now) const {
  Standing standing;
  standing.gate = name_;
  standing.refusal = CurrentRefusal(now);
  standing.stage = CurrentStage(now, standing.refusal.has_value());
  if (seen_) {
    standing.version = seen_->version;
    standing.digest = DigestOf(*seen_);
    standing.unsaved = !saved_ || saved_->directive != *seen_ || saved_->granted != granted_ ||
                       !file_status_.ok() || !is_synced_;
    standing.expired = !IsFresh(now);
    if (standing.expired) standing.expired_since = fresh_until_;
  }
  // As far as anybody can tell: 0 % must not be said of a load balancer that cannot be asked.
  for (const std::optional<Share>& share : {found_, held_, reading_.at_next_start, granted_}) {
    if (!share) continue;
    standing.enforced = *share;
    break;
  }
  standing.local_override = WordAt(now);
  standing.trouble = Trouble();
  return standing;
}

}  // namespace headgate::agent
