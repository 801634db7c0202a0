#include "controller/api/database_view.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>

namespace headgate::api {
namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Timestamp ToProto(TimePoint at) {
  return TimeUtil::MillisecondsToTimestamp(UnixMillis(at));
}

v1::Verdict ToProto(watch::Verdict verdict) {
  switch (verdict) {
    case watch::Verdict::kHealthy:
      return v1::HEALTHY;
    case watch::Verdict::kDegraded:
      return v1::DEGRADED;
    case watch::Verdict::kUnknown:
      return v1::UNKNOWN;
    case watch::Verdict::kFailed:
      return v1::FAILED;
  }
  return v1::UNKNOWN;
}

v1::Verdict ToProto(database::Severity severity) {
  switch (severity) {
    case database::Severity::kDegraded:
      return v1::DEGRADED;
    case database::Severity::kUnknown:
      return v1::UNKNOWN;
    case database::Severity::kFailed:
      return v1::FAILED;
  }
  return v1::UNKNOWN;
}

void FillChecks(const watch::Known& known, v1::WatchedDatabase& proto) {
  // Until its schemas have been compared once, some of its checks are not there.
  const bool is_whole = known.last_look && known.checks.size() == watch::kChecks.size();
  watch::Verdict worst = is_whole ? watch::Verdict::kHealthy : watch::Verdict::kUnknown;
  std::optional<TimePoint> since;
  for (const auto& [check, history] : known.checks) {
    v1::WatchedCheck& added = *proto.add_checks();
    added.set_name(watch::NameOf(check));
    added.set_verdict(ToProto(history.standing.verdict));
    *added.mutable_since() = ToProto(history.since);
    *added.mutable_first_seen() = ToProto(history.first_seen);
    added.set_why(history.standing.why);
    if (!known.last_look || history.standing.verdict < worst) continue;
    // A healthy whole began when the last of its checks became so.
    const bool is_later = history.standing.verdict == watch::Verdict::kHealthy;
    if (history.standing.verdict > worst || !since) {
      since = history.since;
    } else {
      since = is_later ? std::max(*since, history.since) : std::min(*since, history.since);
    }
    worst = history.standing.verdict;
  }
  proto.set_verdict(ToProto(worst));
  if (since) *proto.mutable_since() = ToProto(*since);
}

void FillData(const watch::Known& known, v1::WatchedData& proto) {
  const database::DataStanding& data = *known.data;
  proto.set_table(data.table);
  proto.set_tables_done(static_cast<std::uint32_t>(data.tables_done));
  proto.set_tables(static_cast<std::uint32_t>(data.tables));
  proto.set_rows_done(data.rows_done);
  proto.set_rows_estimated(data.rows_estimated);
  if (!known.last_round) return;
  *proto.mutable_last_round() = ToProto(*known.last_round);
  *proto.mutable_last_round_took() = TimeUtil::MillisecondsToDuration(data.whole_took.count());
}

v1::WatchedDatabase ToProto(const watch::Watch::Database& database) {
  v1::WatchedDatabase proto;
  const watch::Known& known = database.known;
  proto.set_name(database.name);
  FillChecks(known, proto);
  for (const watch::KnownFinding& found : known.findings) {
    v1::WatchedFinding& added = *proto.add_findings();
    added.set_kind(found.finding.kind);
    added.set_server(found.finding.server);
    added.set_verdict(ToProto(found.finding.severity));
    added.set_text(found.finding.text);
    *added.mutable_since() = ToProto(found.since);
  }
  for (const std::string& note : known.notes) proto.add_notes(note);
  *proto.mutable_lag() = TimeUtil::MillisecondsToDuration(known.lag.count());
  if (known.last_look) *proto.mutable_last_look() = ToProto(*known.last_look);
  if (known.last_success) *proto.mutable_last_success() = ToProto(*known.last_success);
  if (known.data) FillData(known, *proto.mutable_data());
  return proto;
}

}  // namespace

absl::StatusOr<watch::Watch::View> ShowWatched(const watch::Watch* watch,
                                               const absl::Status& trouble,
                                               const std::string& name) {
  if (!trouble.ok()) return trouble;
  if (watch == nullptr) {
    return absl::FailedPreconditionError(
        "this controller watches no databases by itself: start headgated with --databases FILE");
  }
  watch::Watch::View view = watch->Show(name);
  if (!name.empty() && view.databases.empty()) {
    return absl::NotFoundError(fmt::format(
        "no database {} is watched: headgate databases lists them; a plan's own are in headgate "
        "explain GATE",
        name));
  }
  return view;
}

absl::StatusOr<watch::Watch::View> ShowNoDatabases(const std::string& name) {
  return ShowWatched(nullptr, absl::OkStatus(), name);
}

v1::ListDatabasesResponse ViewDatabases(const watch::Watch::View& view, std::size_t limit) {
  v1::ListDatabasesResponse response;
  for (const watch::Watch::Database& database : view.databases) {
    *response.add_databases() = ToProto(database);
  }
  const std::size_t wanted = limit == 0 ? kDatabaseChangesDefault : limit;
  const std::size_t skipped = view.changes.size() - std::min(view.changes.size(), wanted);
  for (std::size_t i = skipped; i < view.changes.size(); ++i) {
    const watch::Change& change = view.changes[i];
    v1::VerdictChange& added = *response.add_changes();
    *added.mutable_at() = ToProto(change.at);
    added.set_database(change.database);
    added.set_check(watch::NameOf(change.check));
    if (change.from) added.set_from(ToProto(*change.from));
    added.set_to(ToProto(change.to));
    added.set_why(change.why);
  }
  return response;
}

}  // namespace headgate::api
