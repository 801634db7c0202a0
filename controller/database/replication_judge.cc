#include "controller/database/replication_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/duration.h"
#include "controller/database/dsn.h"
#include "controller/database/verdicts.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

constexpr const char* kPrimary = kPrimaryName;
// What PostgreSQL calls a standby that has neither cluster_name nor application_name.
constexpr std::string_view kNameless = "walreceiver";

// No standby, at least: whoever streams from another one is at the end of a chain that begins here.
bool FeedsNobody(const PrimaryObservation& primary) {
  return primary.identity.may_monitor && !primary.identity.in_recovery &&
         std::ranges::all_of(primary.walsenders, &Walsender::is_logical);
}

}  // namespace

bool IsFedByNobody(const Observation& seen) {
  if (!seen.primary.ok() || !FeedsNobody(*seen.primary)) return false;
  return std::ranges::any_of(seen.physical, [](const auto& replica) {
    return replica.second.ok() && replica.second->receiver == "streaming";
  });
}

std::optional<std::uint64_t> ReplayedBy(const Subscription& subscription,
                                        const absl::StatusOr<PrimaryObservation>& primary) {
  std::optional<std::uint64_t> replayed = subscription.received;
  if (!primary.ok()) return replayed;
  if (const Slot* slot = FindSlot(*primary, subscription.slot); slot != nullptr) {
    replayed = std::max(replayed, slot->confirmed);
  }
  for (const Walsender& sender : primary->walsenders) {
    if (!subscription.slot.empty() && sender.slot == subscription.slot) {
      replayed = std::max(replayed, sender.replayed);
    }
  }
  return replayed;
}

Report ReplicationJudge::Judge(const Observation& seen, TimePoint now) {
  report_ = Report{.findings = {}, .observed_at = seen.at, .lag = Duration(0)};
  JudgePrimary(seen);
  for (const Replica& replica : inventory_.replicas) {
    if (replica.out) {
      JudgeOut(replica, seen);
    } else if (replica.kind == ReplicaKind::kPhysical) {
      JudgePhysical(replica, seen, now);
    } else {
      JudgeLogical(replica, seen, now);
    }
  }
  JudgeNameless(seen);
  JudgeTwins(seen);
  if (seen.primary.ok()) {
    for (const Replica& replica : inventory_.replicas) {
      if (FindFeeder(*seen.primary, replica.name) != nullptr) fed_before_.insert(replica.name);
    }
  }
  return std::move(report_);
}

void ReplicationJudge::JudgePrimary(const Observation& seen) {
  if (!seen.primary.ok()) return JudgeSilence(kPrimary, seen.primary.status());
  const Identity& identity = seen.primary->identity;
  if (!JudgeIdentity(kPrimary, identity)) return;
  if (identity.in_recovery) {
    return Add(
        Severity::kFailed, "wrong_role", kPrimary,
        "the server declared as primary is a standby: it is in recovery and takes no writes");
  }
  if (identity.position.has_value()) ring_.Add(seen.at, *identity.position);
}

void ReplicationJudge::JudgePhysical(const Replica& replica, const Observation& seen,
                                     TimePoint now) {
  const auto found = seen.physical.find(replica.name);
  if (found == seen.physical.end() || !found->second.ok()) {
    JudgeSilence(replica.name, found == seen.physical.end() ? absl::UnknownError("it was not asked")
                                                            : found->second.status());
    return JudgeUnfed(replica, seen);
  }
  const PhysicalObservation& replica_seen = *found->second;
  const Identity& identity = replica_seen.identity;
  if (!JudgeIdentity(replica.name, identity)) return;
  const bool has_primary = seen.primary.ok();
  const bool is_other_system =
      has_primary && identity.system_identifier != seen.primary->identity.system_identifier;
  if (is_other_system) {
    Add(Severity::kFailed, "wrong_system", replica.name,
        fmt::format("replica {}: its system identifier is {}, the primary's {}: it is a copy of "
                    "another database",
                    replica.name, identity.system_identifier,
                    seen.primary->identity.system_identifier),
        /*drains=*/true);
  }
  if (has_primary && identity.database != seen.primary->identity.database) {
    Add(Severity::kFailed, "wrong_database", replica.name,
        fmt::format("replica {}: its dsn leads to the database {}, the primary's to {}: a physical "
                    "replica has all of them, and the two must be the same",
                    replica.name, identity.database, seen.primary->identity.database));
  }
  if (!identity.in_recovery) {
    return Add(
        Severity::kFailed, "wrong_role", replica.name,
        fmt::format("replica {}: it is no standby: it is out of recovery and takes writes of "
                    "its own",
                    replica.name));
  }
  if (replica_seen.receiver != "streaming") {
    Add(Severity::kFailed, "not_streaming", replica.name,
        fmt::format("replica {}: it receives nothing from a primary (its WAL receiver is {})",
                    replica.name,
                    replica_seen.receiver.empty() ? "not running" : replica_seen.receiver));
  } else if (has_primary && !seen.primary->identity.in_recovery &&
             identity.timeline != seen.primary->identity.timeline) {
    Add(Severity::kFailed, "wrong_timeline", replica.name,
        fmt::format("replica {}: it follows timeline {}, the primary is on timeline {}",
                    replica.name, identity.timeline, seen.primary->identity.timeline));
  } else if (has_primary && !is_other_system && FeedsNobody(*seen.primary)) {
    Add(Severity::kFailed, "not_fed_by_primary", replica.name,
        fmt::format("replica {}: its WAL receiver streams, but the primary feeds no standby: "
                    "another copy of this database does",
                    replica.name));
  }
  if (replica_seen.pause != "not paused") {
    Add(Severity::kDegraded, "replay_paused", replica.name,
        fmt::format("replica {}: its replay is {}: run SELECT pg_wal_replay_resume() there",
                    replica.name, replica_seen.pause));
  }
  if (has_primary) JudgeSlot(replica, SlotOf(*seen.primary, replica.name));
  JudgeLag(replica.name, identity.position, seen, now);
}

void ReplicationJudge::JudgeLogical(const Replica& replica, const Observation& seen,
                                    TimePoint now) {
  const auto found = seen.logical.find(replica.name);
  if (found == seen.logical.end() || !found->second.ok()) {
    JudgeSilence(replica.name, found == seen.logical.end() ? absl::UnknownError("it was not asked")
                                                           : found->second.status());
    return JudgeUnfed(replica, seen);
  }
  if (!JudgeIdentity(replica.name, found->second->identity)) return;
  if (found->second->subscriptions.empty()) {
    return Add(Severity::kFailed, "no_subscription", replica.name,
               fmt::format("replica {}: its database has no subscription: nothing feeds it",
                           replica.name));
  }
  for (const Subscription& subscription : found->second->subscriptions) {
    JudgeSubscription(replica, subscription, seen, now);
  }
}

void ReplicationJudge::JudgeSubscription(const Replica& replica, const Subscription& subscription,
                                         const Observation& seen, TimePoint now) {
  const auto fail = [&](const char* kind, const std::string& what) {
    Add(Severity::kFailed, kind, replica.name,
        fmt::format("replica {}: subscription {} {}", replica.name, subscription.name, what));
  };
  JudgeApplyErrors(replica, subscription, now);
  if (!subscription.is_enabled) {
    fail("subscription_disabled", "is disabled: it applies nothing");
  } else if (!subscription.has_worker) {
    fail("not_streaming",
         "has no apply worker running: look for the apply error in the server's log");
  }
  if (!subscription.tables_not_ready.empty()) {
    fail("not_synchronised",
         fmt::format("has not finished the first copy of {}", subscription.tables_not_ready));
  } else if (subscription.tables == 0) {
    fail("not_synchronised",
         "has no tables: run ALTER SUBSCRIPTION … REFRESH PUBLICATION after publishing some");
  }
  if (seen.primary.ok()) {
    const Slot* slot = FindSlot(*seen.primary, subscription.slot);
    if (slot == nullptr) {
      fail("not_fed_by_primary",
           fmt::format("uses the slot '{}', which the primary does not have", subscription.slot));
    }
    JudgeSlot(replica, slot);
  }
  JudgeLag(replica.name, ReplayedBy(subscription, seen.primary), seen, now);
}

void ReplicationJudge::JudgeApplyErrors(const Replica& replica, const Subscription& subscription,
                                        TimePoint now) {
  const std::string key = replica.name + "/" + subscription.name;
  const auto [known, is_new] =
      apply_errors_.try_emplace(key, ApplyErrors{.count = subscription.errors});
  ApplyErrors& errors = known->second;
  if (!is_new && subscription.errors > errors.count) {
    errors.rise_before = std::exchange(errors.last_rise, now);
    // Several since the last look are more than one lost connection.
    if (subscription.errors > errors.count + 1) errors.rise_before = now;
  }
  errors.count = subscription.errors;
  const auto is_recent = [&](const std::optional<TimePoint>& rise) {
    return rise.has_value() && now - *rise <= kApplyErrorMemory;
  };
  if (!is_recent(errors.last_rise)) return;
  const bool is_repeated = is_recent(errors.rise_before);
  Add(is_repeated ? Severity::kFailed : Severity::kDegraded, "apply_errors", replica.name,
      fmt::format("replica {}: subscription {} {} ({} errors in all, the last one {} ago): the "
                  "server's log has the reason",
                  replica.name, subscription.name,
                  is_repeated ? "fails to apply changes" : "was interrupted by an error",
                  errors.count, FormatDuration(now - *errors.last_rise)));
}

void ReplicationJudge::JudgeLag(const std::string& server,
                                const std::optional<std::uint64_t>& replayed,
                                const Observation& seen, TimePoint now) {
  // Without the primary's position the lag is not known; its own finding says so.
  if (!seen.primary.ok() || !seen.primary->identity.position.has_value() ||
      seen.primary->identity.in_recovery) {
    return;
  }
  if (!replayed.has_value()) {
    return Add(Severity::kUnknown, "lag", server,
               fmt::format("replica {}: how far it has replayed is not known", server));
  }
  const Duration lag = ring_.LagOf(*replayed, now);
  report_.lag = std::max(report_.lag, lag);
  if (auto finding = JudgeLagOf(server, lag, inventory_)) {
    report_.findings.push_back(*std::move(finding));
  }
  const std::uint64_t position = *seen.primary->identity.position;
  const std::uint64_t behind = position > *replayed ? position - *replayed : 0;
  if (auto finding = JudgeBytesBehind(server, behind, inventory_)) {
    report_.findings.push_back(*std::move(finding));
  }
}

void ReplicationJudge::JudgeOut(const Replica& replica, const Observation& seen) {
  const auto fail = [&](const std::string& how) {
    Add(Severity::kFailed, "still_in_use", replica.name,
        fmt::format("replica {}: it is declared as taken out, but {}", replica.name, how));
  };
  if (seen.primary.ok()) {
    if (const Walsender* sender = FindFeeder(*seen.primary, replica.name); sender != nullptr) {
      return fail(fmt::format("the primary still feeds it, at {}", sender->client));
    }
    const Slot* slot = FindSlot(*seen.primary, replica.name);
    if (slot != nullptr && slot->is_active) return fail("its slot on the primary is active");
  }
  // A server that is out may well be down: only what it says counts, not its silence.
  if (const auto found = seen.physical.find(replica.name); found != seen.physical.end() &&
                                                           found->second.ok() &&
                                                           found->second->receiver == "streaming") {
    return fail("it is streaming");
  }
  const auto found = seen.logical.find(replica.name);
  if (found == seen.logical.end() || !found->second.ok()) return;
  for (const Subscription& subscription : found->second->subscriptions) {
    if (!subscription.has_worker) continue;
    return fail(fmt::format("its subscription {} is running", subscription.name));
  }
}

void ReplicationJudge::JudgeNameless(const Observation& seen) {
  if (!seen.primary.ok()) return;
  std::string hidden;
  std::ptrdiff_t declared = 0;
  for (const Replica& replica : inventory_.replicas) {
    if (replica.kind != ReplicaKind::kPhysical) continue;
    if (replica.out && replica.dsn.empty()) hidden = replica.name;
    if (!replica.out && FindFeeder(*seen.primary, replica.name) == nullptr) ++declared;
  }
  const auto nameless =
      std::count_if(seen.primary->walsenders.begin(), seen.primary->walsenders.end(),
                    [](const Walsender& sender) { return sender.application_name == kNameless; });
  if (hidden.empty() || nameless <= declared) return;
  Add(Severity::kUnknown, "still_in_use", hidden,
      fmt::format("replica {}: it is declared as taken out, but the primary feeds {} standbys "
                  "without a name and {} can be told apart: set cluster_name on them, or give the "
                  "replica's dsn",
                  hidden, nameless, declared));
}

void ReplicationJudge::JudgeTwins(const Observation& seen) {
  std::map<std::pair<std::string, std::string>, std::string> known;
  const auto meet = [&](const std::string& server, const Identity& identity) {
    const auto [first, is_new] =
        known.try_emplace({identity.system_identifier, identity.started_at}, server);
    if (is_new) return;
    Add(Severity::kFailed, "same_server", server,
        fmt::format("replica {}: its dsn leads to the same server as that of {}: one of the two "
                    "declared servers is not being watched",
                    server, Called(first->second)));
  };
  if (seen.primary.ok()) meet(kPrimary, seen.primary->identity);
  for (const Replica& replica : inventory_.replicas) {
    if (replica.out) continue;
    const auto physical = seen.physical.find(replica.name);
    if (physical != seen.physical.end() && physical->second.ok()) {
      meet(replica.name, physical->second->identity);
    }
    const auto logical = seen.logical.find(replica.name);
    // Publisher and subscriber may be two databases of one server: then names tell them apart.
    if (logical != seen.logical.end() && logical->second.ok() &&
        logical->second->subscriptions.empty()) {
      meet(replica.name, logical->second->identity);
    }
  }
}

bool ReplicationJudge::JudgeIdentity(const std::string& server, const Identity& identity) {
  if (identity.version < kVersionMin) {
    Add(Severity::kUnknown, "unsupported_version", server,
        fmt::format("{}: it is PostgreSQL {}, older than {}: it cannot be judged", Called(server),
                    identity.version / 10'000, kVersionMin / 10'000));
    return false;
  }
  if (!identity.may_monitor) {
    Add(Severity::kUnknown, "no_privilege", server,
        fmt::format("{}: role {} may not see replication there: run GRANT pg_monitor TO {}",
                    Called(server), identity.user, identity.user));
    return false;
  }
  return true;
}

void ReplicationJudge::JudgeSilence(const std::string& server, const absl::Status& status) {
  const std::string* dsn = server == kPrimary ? &inventory_.primary_dsn : nullptr;
  for (const Replica& replica : inventory_.replicas) {
    if (dsn == nullptr && replica.name == server) dsn = &replica.dsn;
  }
  report_.findings.push_back(
      JudgeSilenceOf(server, dsn == nullptr ? "" : FormatDsnForPeople(*dsn), status));
}

void ReplicationJudge::JudgeUnfed(const Replica& replica, const Observation& seen) {
  if (!seen.primary.ok() || !seen.primary->identity.may_monitor ||
      !fed_before_.contains(replica.name) || FindFeeder(*seen.primary, replica.name) != nullptr) {
    return;
  }
  report_.findings.push_back(JudgeUnfedReplica(replica.name));
}

void ReplicationJudge::Add(Severity severity, const char* kind, const std::string& server,
                           std::string text, bool drains) {
  report_.findings.push_back(FindingOf(severity, kind, server, std::move(text), drains));
}

}  // namespace headgate::database
