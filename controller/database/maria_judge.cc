#include "controller/database/maria_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/base/duration.h"
#include "controller/database/maria_dsn.h"
#include "controller/database/verdicts.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

bool IsFedBy(const MariaLink& link, const MariaPrimary& primary) {
  return link.receiver == "Yes" && link.primary_id == primary.identity.server_id;
}

bool IsFedBy(const absl::StatusOr<MariaReplica>& replica, const MariaPrimary& primary) {
  return replica.ok() && replica->links.ok() &&
         std::any_of(replica->links->begin(), replica->links->end(),
                     [&](const MariaLink& link) { return IsFedBy(link, primary); });
}

// How many of the servers that the primary feeds are declared ones, by their own word, but for one.
std::int64_t KnownAsFed(const MariaObservation& seen, const std::string& but_for) {
  return std::count_if(seen.replicas.begin(), seen.replicas.end(), [&](const auto& replica) {
    return replica.first != but_for && IsFedBy(replica.second, *seen.primary);
  });
}

bool IsUpper(const std::string& text, const char* upper) {
  std::string copy = text;
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return copy == upper;
}

std::string Named(const MariaLink& link) {
  return link.name.empty() ? "" : fmt::format("connection {}: ", link.name);
}

std::string Because(std::int64_t error, const std::string& text) {
  if (error == 0) return "";
  return fmt::format(" (error {}: {})", error, ScrubServerText(text, {}));
}

// Every domain's last transaction that this server wrote itself.
GtidPosition OwnOf(const MariaIdentity& identity) {
  GtidPosition own;
  for (const Gtid& gtid : identity.binlog_state) {
    if (gtid.server == identity.server_id) own[gtid.domain] = gtid;
  }
  return own;
}

// All that it has: what it wrote, and what it had from others before it became the primary.
GtidPosition Furthest(const MariaIdentity& identity) {
  GtidPosition furthest = identity.current;
  for (const auto& [domain, gtid] : identity.written) {
    Gtid& known = furthest.try_emplace(domain, gtid).first->second;
    if (gtid.sequence > known.sequence) known = gtid;
  }
  return furthest;
}

}  // namespace

Report MariaJudge::Judge(const MariaObservation& seen, TimePoint now) {
  report_ = Report{.findings = {}, .observed_at = seen.at, .lag = Duration(0)};
  JudgePrimary(seen);
  for (const Replica& replica : inventory_.replicas) {
    if (replica.out) {
      JudgeOut(replica, seen);
    } else {
      JudgeReplica(replica, seen, now);
    }
  }
  JudgeStrangers(seen);
  JudgeTwins(seen);
  return std::move(report_);
}

void MariaJudge::JudgePrimary(const MariaObservation& seen) {
  if (!seen.primary.ok()) {
    return JudgeSilence(kPrimaryName, inventory_.primary_dsn, seen.primary.status());
  }
  const MariaPrimary& primary = *seen.primary;
  const MariaIdentity& identity = primary.identity;
  if (!JudgeIdentity(kPrimaryName, identity)) return;
  if (JudgeRights(kPrimaryName, identity, primary.links.status(), "SLAVE MONITOR",
                  "whether it is a replica itself")) {
    const bool is_fed = std::any_of(primary.links->begin(), primary.links->end(),
                                    [](const MariaLink& link) { return link.receiver != "No"; });
    if (identity.is_read_only && is_fed) {
      return Add(Severity::kFailed, "wrong_role", kPrimaryName,
                 "the server declared as primary is a replica: it is read-only and replicates "
                 "from another");
    }
  }
  if (identity.is_read_only) {
    Add(Severity::kDegraded, "read_only", kPrimaryName,
        "the primary takes no writes: run SET GLOBAL read_only = OFF there when it may");
  }
  JudgeRights(kPrimaryName, identity, primary.log_end.status(), "BINLOG MONITOR",
              "how long its binary log is");
  if (!identity.has_binlog && !inventory_.replicas.empty()) {
    Add(Severity::kFailed, "no_binlog", kPrimaryName,
        "the primary writes no binary log: no replica can follow it; set log_bin");
  }
  lag_.Add(seen.at, identity.written);
}

void MariaJudge::JudgeReplica(const Replica& replica, const MariaObservation& seen, TimePoint now) {
  const auto found = seen.replicas.find(replica.name);
  if (found == seen.replicas.end() || !found->second.ok()) {
    JudgeSilence(replica.name, replica.dsn,
                 found == seen.replicas.end() ? absl::UnknownError("it was not asked")
                                              : found->second.status());
    return JudgeUnfed(replica, seen);
  }
  const MariaReplica& seen_replica = *found->second;
  const MariaIdentity& identity = seen_replica.identity;
  if (!JudgeIdentity(replica.name, identity)) return;
  JudgeSettings(replica, identity);
  JudgeOwnWrites(replica, identity, now);
  if (JudgeRights(replica.name, identity, seen_replica.links.status(), "SLAVE MONITOR",
                  "whether it replicates")) {
    JudgeLinks(replica, seen_replica, seen);
  }
  if (seen.primary.ok()) {
    JudgeAhead(replica, seen_replica, *seen.primary);
    JudgeLag(replica, seen_replica, seen, now);
  }
  memories_[replica.name].replicated = identity.replicated;
}

void MariaJudge::JudgeSettings(const Replica& replica, const MariaIdentity& identity) {
  const std::string& name = replica.name;
  if (!identity.is_read_only) {
    Add(Severity::kDegraded, "not_read_only", name,
        fmt::format("replica {}: it takes writes of its own: run SET GLOBAL read_only = ON there",
                    name));
  }
  if (!identity.type_conversions.empty()) {
    const bool is_lossy = identity.type_conversions.find("ALL_LOSSY") != std::string::npos;
    Add(is_lossy ? Severity::kFailed : Severity::kDegraded, "type_conversions", name,
        fmt::format("replica {}: it replicates into columns of other types{} "
                    "(slave_type_conversions is {}): run SET GLOBAL slave_type_conversions = '' "
                    "there",
                    name, is_lossy ? ", even where values are lost" : "",
                    identity.type_conversions));
  }
  if (!IsUpper(identity.exec_mode, "STRICT")) {
    Add(Severity::kFailed, "exec_mode", name,
        fmt::format("replica {}: it passes over rows that are missing or there already "
                    "(slave_exec_mode is {}): run SET GLOBAL slave_exec_mode = STRICT there",
                    name, identity.exec_mode));
  }
  if (!identity.skipped_errors.empty() && !IsUpper(identity.skipped_errors, "OFF")) {
    Add(Severity::kFailed, "skipped_errors", name,
        fmt::format("replica {}: it passes over errors of replication (slave_skip_errors is {}): "
                    "restart it without",
                    name, identity.skipped_errors));
  }
  JudgeTriggers(replica, identity);
}

void MariaJudge::JudgeTriggers(const Replica& replica, const MariaIdentity& identity) {
  if (IsUpper(identity.run_triggers, "NO")) return;
  // The rows come with what the primary's triggers made of them.
  Add(Severity::kDegraded, "run_triggers", replica.name,
      fmt::format("replica {}: its triggers fire once more for each row that it replicates "
                  "(slave_run_triggers_for_rbr is {}): run STOP SLAVE; SET GLOBAL "
                  "slave_run_triggers_for_rbr = NO; START SLAVE there",
                  replica.name, identity.run_triggers));
}

void MariaJudge::JudgeLinks(const Replica& replica, const MariaReplica& seen_replica,
                            const MariaObservation& seen) {
  if (seen_replica.links->empty()) {
    return Add(
        Severity::kFailed, "wrong_role", replica.name,
        fmt::format("replica {}: it is no replica: it replicates from nobody", replica.name));
  }
  // Fed by another declared replica, it is fed by this primary in the end.
  std::set<std::uint32_t> feeders;
  if (seen.primary.ok()) {
    feeders.insert(seen.primary->identity.server_id);
    for (const auto& [name, other] : seen.replicas) {
      if (other.ok() && name != replica.name) feeders.insert(other->identity.server_id);
    }
  }
  bool is_any_ours = false;
  bool is_any_known = false;
  for (const MariaLink& link : *seen_replica.links) {
    is_any_known = is_any_known || link.primary_id != 0;
    const bool is_ours = feeders.contains(link.primary_id);
    is_any_ours = is_any_ours || is_ours;
    // Of several sources, one may be none of ours; what is broken there still is.
    JudgeLink(replica, link);
  }
  if (seen.primary.ok()) {
    if (IsFedBy(seen.replicas.at(replica.name), *seen.primary)) {
      fed_before_.insert(replica.name);
    } else {
      fed_before_.erase(replica.name);
    }
  }
  if (!seen.primary.ok() || is_any_ours || !is_any_known) return;
  Add(Severity::kFailed, "not_fed_by_primary", replica.name,
      fmt::format("replica {}: it replicates from the server with server_id {}; the primary's is "
                  "{}",
                  replica.name, seen_replica.links->front().primary_id,
                  seen.primary->identity.server_id));
}

void MariaJudge::JudgeLink(const Replica& replica, const MariaLink& link) {
  if (link.receiver != "Yes") {
    Add(Severity::kFailed, "not_streaming", replica.name,
        fmt::format("replica {}: {}it receives nothing from a primary (its IO thread says {}){}",
                    replica.name, Named(link), link.receiver,
                    Because(link.receiver_errno, link.receiver_error)));
  }
  if (link.applier != "Yes") {
    Add(Severity::kFailed, "not_applying", replica.name,
        fmt::format("replica {}: {}it applies nothing (its SQL thread says {}){}", replica.name,
                    Named(link), link.applier, Because(link.applier_errno, link.applier_error)));
  }
  if (!link.filters.empty()) {
    Add(Severity::kDegraded, "filtered", replica.name,
        fmt::format("replica {}: {}it does not take everything: {}", replica.name, Named(link),
                    link.filters));
  }
}

void MariaJudge::JudgeAhead(const Replica& replica, const MariaReplica& seen_replica,
                            const MariaPrimary& primary) {
  const auto memory = memories_.find(replica.name);
  if (memory == memories_.end()) return;
  const bool has_one_source = seen_replica.links.ok() && seen_replica.links->size() == 1;
  const GtidPosition all = Furthest(primary.identity);
  for (const auto& [domain, last] : memory->second.replicated) {
    const auto there = all.find(domain);
    // Another domain may come from another source.
    if (there == all.end() && !has_one_source) continue;
    const Gtid known = there == all.end() ? Gtid{.domain = domain} : there->second;
    const bool is_other = known.sequence == last.sequence && known.server != last.server;
    // What the replica had at the last look, the primary must have now.
    if (known.sequence >= last.sequence && !is_other) continue;
    return Add(Severity::kFailed, "ahead_of_primary", replica.name,
               fmt::format("replica {}: it has replayed transaction {}, the primary {}: they do "
                           "not have one history",
                           replica.name, ToString(last),
                           known.sequence == 0 ? "has none of that domain"
                                               : fmt::format("is at {}", ToString(known))),
               /*drains=*/true);
  }
}

void MariaJudge::JudgeOwnWrites(const Replica& replica, const MariaIdentity& identity,
                                TimePoint now) {
  const auto [known, is_new] = memories_.try_emplace(replica.name);
  Memory& memory = known->second;
  const GtidPosition own = OwnOf(identity);
  if (!is_new && !Covers(memory.own, own)) memory.wrote_at = now;
  memory.own = own;
  if (!memory.wrote_at.has_value() || now - *memory.wrote_at > kOwnWriteMemory) return;
  Add(Severity::kDegraded, "own_writes", replica.name,
      fmt::format("replica {}: it was written to by itself {} ago (transaction {}): its data may "
                  "not be the primary's",
                  replica.name, FormatDuration(now - *memory.wrote_at),
                  own.empty() ? "unknown" : ToString(own.begin()->second)));
}

void MariaJudge::JudgeLag(const Replica& replica, const MariaReplica& seen_replica,
                          const MariaObservation& seen, TimePoint now) {
  const MariaPrimary& primary = *seen.primary;
  const Duration lag = lag_.LagOf(seen_replica.identity.replicated, now);
  report_.lag = std::max(report_.lag, lag);
  if (auto finding = JudgeLagOf(replica.name, lag, inventory_)) {
    finding->text +=
        fmt::format(" ({} transactions)",
                    TransactionsBehind(seen_replica.identity.replicated, primary.identity.written));
    report_.findings.push_back(*std::move(finding));
  }
  if (!primary.log_end.ok() || !seen_replica.links.ok()) return;
  for (const MariaLink& link : *seen_replica.links) {
    if (link.primary_id != primary.identity.server_id || link.file.empty()) continue;
    // Of files between, the length is not known: at least so much.
    const MariaLogEnd& end = *primary.log_end;
    const std::uint64_t applied = link.file == end.file ? link.offset : 0;
    const std::uint64_t behind = end.offset > applied ? end.offset - applied : 0;
    if (auto finding = JudgeBytesBehind(replica.name, behind, inventory_)) {
      report_.findings.push_back(*std::move(finding));
    }
  }
}

void MariaJudge::JudgeOut(const Replica& replica, const MariaObservation& seen) {
  // A server that is out may well be down: only what it says counts, not its silence.
  const auto found = seen.replicas.find(replica.name);
  if (found == seen.replicas.end() || !found->second.ok()) return;
  if (!JudgeRights(replica.name, found->second->identity, found->second->links.status(),
                   "SLAVE MONITOR", "whether it is out")) {
    return;
  }
  for (const MariaLink& link : *found->second->links) {
    if (link.receiver == "No" && link.applier == "No") continue;
    return Add(
        Severity::kFailed, "still_in_use", replica.name,
        fmt::format(
            "replica {}: it is declared as taken out, but {}it {}", replica.name, Named(link),
            link.receiver == "No" ? "still applies what it has received" : "still replicates"));
  }
}

void MariaJudge::JudgeStrangers(const MariaObservation& seen) {
  if (!seen.primary.ok()) return;
  std::string hidden;
  std::int64_t silent = 0;
  for (const Replica& replica : inventory_.replicas) {
    const auto found = seen.replicas.find(replica.name);
    const bool has_answered = found != seen.replicas.end() && found->second.ok();
    if (has_answered) continue;
    if (replica.out) hidden = replica.name;
    if (!replica.out) ++silent;
  }
  const std::int64_t known = KnownAsFed(seen, "") + silent;
  if (hidden.empty() || seen.primary->fed <= known) return;
  Add(Severity::kUnknown, "still_in_use", hidden,
      fmt::format("replica {}: it is declared as taken out, but the primary feeds {} servers, of "
                  "which {} can be told apart: give the replica's dsn",
                  hidden, seen.primary->fed, known));
}

void MariaJudge::JudgeTwins(const MariaObservation& seen) {
  std::map<std::pair<std::string, std::uint32_t>, std::string> known;
  const auto meet = [&](const std::string& server, const MariaIdentity& identity) {
    const auto [first, is_new] = known.try_emplace({identity.instance, identity.server_id}, server);
    if (is_new) return;
    Add(Severity::kFailed, "same_server", server,
        fmt::format("replica {}: its dsn leads to the same server as that of {}: one of the two "
                    "declared servers is not being watched",
                    server, Called(first->second)));
  };
  if (seen.primary.ok()) meet(kPrimaryName, seen.primary->identity);
  for (const Replica& replica : inventory_.replicas) {
    const auto found = seen.replicas.find(replica.name);
    if (replica.out || found == seen.replicas.end() || !found->second.ok()) continue;
    meet(replica.name, found->second->identity);
  }
}

bool MariaJudge::JudgeIdentity(const std::string& server, const MariaIdentity& identity) {
  if (identity.version >= kMariaVersionMin) return true;
  Add(Severity::kUnknown, "unsupported_version", server,
      fmt::format("{}: it is version {}, not MariaDB 10.6 or later: it cannot be judged",
                  Called(server), ScrubServerText(identity.version_name, {})));
  return false;
}

bool MariaJudge::JudgeRights(const std::string& server, const MariaIdentity& identity,
                             const absl::Status& status, const char* privilege, const char* what) {
  if (status.ok()) return true;
  if (absl::IsPermissionDenied(status)) {
    Add(Severity::kUnknown, "no_privilege", server,
        fmt::format("{}: {} is not known: run GRANT {} ON *.* TO {} there", Called(server), what,
                    privilege, identity.user));
    return false;
  }
  Add(Severity::kUnknown, "error", server,
      fmt::format("{}: {} is not known: {}", Called(server), what, std::string(status.message())));
  return false;
}

void MariaJudge::JudgeSilence(const std::string& server, const std::string& dsn,
                              const absl::Status& status) {
  report_.findings.push_back(JudgeSilenceOf(server, FormatMariaDsnForPeople(dsn), status));
}

void MariaJudge::JudgeUnfed(const Replica& replica, const MariaObservation& seen) {
  if (!seen.primary.ok() || !fed_before_.contains(replica.name)) return;
  // Everybody that it feeds is somebody else.
  if (seen.primary->fed > KnownAsFed(seen, replica.name)) return;
  report_.findings.push_back(JudgeUnfedReplica(replica.name));
}

void MariaJudge::Add(Severity severity, const char* kind, const std::string& server,
                     std::string text, bool drains) {
  report_.findings.push_back(FindingOf(severity, kind, server, std::move(text), drains));
}

}  // namespace headgate::database
