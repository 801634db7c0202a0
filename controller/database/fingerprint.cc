#include "controller/database/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/database/observation.h"
#include "controller/database/replication_judge.h"

namespace headgate::database {
namespace {

constexpr Duration kReplayPoll{100};
constexpr std::uint64_t kWalPageBytes = 8'192;

// The next byte to be written may lie behind a page's header, which no replica ever "replays": the
// end of the last record is then the start of the page.
std::uint64_t EndOfLastRecord(std::uint64_t insert_position) {
  const std::uint64_t into_page = insert_position % kWalPageBytes;
  return into_page == 24 || into_page == 40 ? insert_position - into_page : insert_position;
}

std::vector<Statement> PrimaryReadingStatements(const Inventory& inventory) {
  return {SchemaStatement(inventory.schemas),
          {.sql = "SELECT p.pubname::text, p.schemaname || '.' || p.tablename, a::text "
                  "FROM pg_publication_tables AS p, unnest(p.attnames) AS a",
           .parameters = {}},
          // After the schema: what was read lies before this position. Inserted, not written: a
          // change may be visible before its commit is written.
          {.sql = "SELECT CASE WHEN NOT pg_is_in_recovery() "
                  "THEN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text END",
           .parameters = {}}};
}

std::vector<Statement> ReplicaReadingStatements(const Inventory& inventory,
                                                const Replica& replica) {
  if (replica.kind == ReplicaKind::kPhysical) return {SchemaStatement(inventory.schemas)};
  const std::string here =
      "(SELECT oid FROM pg_subscription WHERE subdbid = "
      "(SELECT oid FROM pg_database WHERE datname = current_database()))";
  return {
      SchemaStatement(inventory.schemas),
      {.sql = "SELECT DISTINCT unnest(subpublications) FROM pg_subscription WHERE oid IN " + here,
       .parameters = {}},
      {.sql = "SELECT n.nspname || '.' || c.relname FROM pg_subscription_rel AS r "
              "JOIN pg_class AS c ON c.oid = r.srrelid "
              "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE r.srsubid IN " +
              here,
       .parameters = {}}};
}

// An ordinary table, neither a part of another nor made of parts.
bool IsPlainTable(const ObjectKey& key, const Schema& schema) {
  const auto has = [&](const char* setting) {
    return schema.contains({key.schema, key.relation, "setting", setting});
  };
  return key.kind == "table" && schema.at(key).text.starts_with("a table") &&
         !has("partition key") && !has("partition bound");
}

}  // namespace

Report FingerprintRun::Run() {
  report_ = Report{.findings = {}, .observed_at = clock_.Now(), .lag = Duration(0)};
  std::vector<const Replica*> replicas;
  for (const Replica& replica : inventory_.replicas) {
    if (!replica.out) replicas.push_back(&replica);
  }
  const TimePoint first_at = clock_.Now();
  const Reading first = Read(replicas);
  if (!first.primary.ok()) {
    AddUnread("primary", first.primary.status());
    return std::move(report_);
  }
  CheckVisible(*first.primary);
  std::vector<const Replica*> suspects;
  for (const Replica* replica : replicas) {
    const auto& seen = first.replicas.at(replica->name);
    if (!seen.ok()) {
      AddUnread(replica->name, seen.status());
      continue;
    }
    if (replica->kind == ReplicaKind::kLogical) TellCoverage(*replica, *first.primary, *seen);
    if (!Differences(*replica, *first.primary, *seen).empty()) suspects.push_back(replica);
  }
  if (suspects.empty()) return std::move(report_);
  const std::set<std::string> replayed = WaitForReplay(suspects, first.primary->position);
  const Duration since = clock_.Now() - first_at;
  if (since < deadlines_.apart) servers_.Pause(deadlines_.apart - since);
  const Reading second = Read(suspects);
  if (!second.primary.ok()) {
    AddUnread("primary", second.primary.status());
    return std::move(report_);
  }
  for (const Replica* replica : suspects) {
    const auto& seen = second.replicas.at(replica->name);
    if (!seen.ok()) {
      AddUnread(replica->name, seen.status());
      continue;
    }
    Tell(*replica, replayed.contains(replica->name), first, second);
  }
  return std::move(report_);
}

FingerprintRun::Reading FingerprintRun::Read(const std::vector<const Replica*>& replicas) {
  Questions questions;
  questions[Servers::kPrimary] = PrimaryReadingStatements(inventory_);
  for (const Replica* replica : replicas) {
    questions[replica->name] = ReplicaReadingStatements(inventory_, *replica);
  }
  const auto answers = servers_.Ask(std::move(questions), deadlines_.reading, clock_);
  Reading reading{.primary = ParsePrimary(answers.at(Servers::kPrimary)), .replicas = {}};
  for (const Replica* replica : replicas) {
    const auto answered = answers.find(replica->name);
    reading.replicas.emplace(replica->name,
                             answered == answers.end()
                                 ? absl::InvalidArgumentError("it is in use and has no dsn")
                                 : ParseReplica(*replica, answered->second));
  }
  return reading;
}

absl::StatusOr<FingerprintRun::PrimaryReading> FingerprintRun::ParsePrimary(
    const Answers& answers) {
  auto schema = ReadSchema(answers[0]);
  if (!schema.ok()) return schema.status();
  if (!answers[1].ok()) return answers[1].status();
  if (!answers[2].ok()) return answers[2].status();
  PrimaryReading reading{.schema = *std::move(schema), .published = {}, .position = 0};
  for (const Row& row : *answers[1]) {
    reading.published[row.at(0).value_or("")][row.at(1).value_or("")].insert(
        row.at(2).value_or(""));
  }
  const auto position =
      answers[2]->empty() ? std::nullopt : ToPosition(answers[2]->front().front());
  if (!position.has_value()) return absl::UnknownError("it has no position: it is not a primary");
  reading.position = EndOfLastRecord(*position);
  return reading;
}

absl::StatusOr<FingerprintRun::ReplicaReading> FingerprintRun::ParseReplica(
    const Replica& replica, const Answers& answers) {
  auto schema = ReadSchema(answers[0]);
  if (!schema.ok()) return schema.status();
  ReplicaReading reading{.schema = *std::move(schema), .subscribed = {}};
  if (replica.kind == ReplicaKind::kPhysical) return reading;
  if (!answers[1].ok()) return answers[1].status();
  if (!answers[2].ok()) return answers[2].status();
  for (const Row& row : *answers[1]) reading.subscribed.publications.insert(row.at(0).value_or(""));
  for (const Row& row : *answers[2]) reading.subscribed.tables.insert(row.at(0).value_or(""));
  return reading;
}

PublishedTables FingerprintRun::PublishedFor(const PrimaryReading& primary,
                                             const Subscribed& subscribed) {
  PublishedTables published;
  for (const std::string& publication : subscribed.publications) {
    const auto found = primary.published.find(publication);
    if (found == primary.published.end()) continue;
    for (const auto& [table, columns] : found->second) {
      published[table].insert(columns.begin(), columns.end());
    }
  }
  return published;
}

std::vector<Difference> FingerprintRun::Differences(const Replica& replica,
                                                    const PrimaryReading& primary,
                                                    const ReplicaReading& seen) {
  if (replica.kind == ReplicaKind::kPhysical) return Compare(primary.schema, seen.schema);
  const ComparedSchemas compared =
      ForLogicalReplica(primary.schema, seen.schema, PublishedFor(primary, seen.subscribed));
  return Compare(compared.primary, compared.replica);
}

std::set<std::string> FingerprintRun::WaitForReplay(const std::vector<const Replica*>& replicas,
                                                    std::uint64_t position) {
  const TimePoint give_up = clock_.Now() + deadlines_.confirm;
  std::set<std::string> replayed;
  while (true) {
    Questions questions;
    questions[Servers::kPrimary] = PrimaryStatements();
    for (const Replica* replica : replicas) {
      if (replayed.contains(replica->name)) continue;
      questions[replica->name] =
          replica->kind == ReplicaKind::kPhysical ? PhysicalStatements() : LogicalStatements();
    }
    const auto answers = servers_.Ask(std::move(questions), deadlines_.reading, clock_);
    for (const Replica* replica : replicas) {
      if (HasReplayed(*replica, answers, position)) replayed.insert(replica->name);
    }
    if (replayed.size() == replicas.size() || clock_.Now() >= give_up ||
        !servers_.Pause(kReplayPoll)) {
      return replayed;
    }
  }
}

bool FingerprintRun::HasReplayed(const Replica& replica,
                                 const std::map<std::string, Answers>& answers,
                                 std::uint64_t position) const {
  const auto answered = answers.find(replica.name);
  if (answered == answers.end()) return false;
  if (replica.kind == ReplicaKind::kPhysical) {
    const auto seen = ReadPhysical(answered->second);
    return seen.ok() && seen->identity.position >= position;
  }
  const auto seen = ReadLogical(answered->second);
  const auto primary = ReadPrimary(answers.at(Servers::kPrimary));
  if (!seen.ok() || !seen->identity.may_monitor) return false;
  return std::all_of(seen->subscriptions.begin(), seen->subscriptions.end(),
                     [&](const Subscription& subscription) {
                       // Logical replication carries no changes of schema. Should somebody send
                       // them as rows, they come only while a worker applies rows.
                       return !subscription.has_worker ||
                              ReplayedBy(subscription, primary) >= position;
                     });
}

void FingerprintRun::CheckVisible(const PrimaryReading& primary) {
  std::set<std::string> seen;
  for (const auto& [key, definition] : primary.schema) {
    if (key.kind == "table") seen.insert(key.schema);
  }
  const auto add = [&](const std::string& text) {
    report_.findings.push_back({.severity = Severity::kUnknown,
                                .drains = false,
                                .kind = "schema_unread",
                                .server = "primary",
                                .text = text});
  };
  if (seen.empty()) add("the primary: no table is visible: is dbname right?");
  for (const std::string& schema : inventory_.schemas) {
    if (!seen.contains(schema)) {
      add(fmt::format("the primary: schema {} is declared and has no tables there", schema));
    }
  }
}

void FingerprintRun::TellCoverage(const Replica& replica, const PrimaryReading& primary,
                                  const ReplicaReading& seen) {
  const PublishedTables published = PublishedFor(primary, seen.subscribed);
  for (const auto& [key, definition] : primary.schema) {
    const std::string table = key.schema + "." + key.relation;
    if (key.kind != "table" || !seen.schema.contains(key)) continue;
    if (published.contains(table) && !seen.subscribed.tables.contains(table)) {
      report_.findings.push_back(
          {.severity = Severity::kFailed,
           .drains = false,
           .kind = "not_subscribed",
           .server = replica.name,
           .text = fmt::format("replica {}: table {} is published but not replicated: run ALTER "
                               "SUBSCRIPTION … REFRESH PUBLICATION there",
                               replica.name, table)});
    }
    if (!published.contains(table) && IsPlainTable(key, primary.schema)) {
      report_.findings.push_back(
          {.severity = Severity::kDegraded,
           .drains = false,
           .kind = "not_published",
           .server = replica.name,
           .text = fmt::format("replica {}: table {} exists here, but no publication that it "
                               "subscribes to has it: its rows are not the primary's",
                               replica.name, table)});
    }
  }
}

void FingerprintRun::Tell(const Replica& replica, bool has_replayed, const Reading& first,
                          const Reading& second) {
  const std::vector<Difference> before =
      Differences(replica, *first.primary, *first.replicas.at(replica.name));
  std::size_t told = 0;
  bool is_any_confirmed = false;
  for (const Difference& difference :
       Differences(replica, *second.primary, *second.replicas.at(replica.name))) {
    const bool is_steady = std::find(before.begin(), before.end(), difference) != before.end();
    const bool is_confirmed = has_replayed && is_steady;
    is_any_confirmed = is_any_confirmed || is_confirmed;
    if (told++ >= kFindingsMax) continue;
    std::string text = Describe(replica.name, difference);
    if (!is_confirmed) {
      text += is_steady
                  ? " (not confirmed: the replica has not replayed the primary's position yet)"
                  : " (not confirmed: it has just changed)";
    }
    report_.findings.push_back({.severity = is_confirmed ? Severity::kFailed : Severity::kUnknown,
                                .drains = is_confirmed,
                                .kind = "schema",
                                .server = replica.name,
                                .text = std::move(text)});
  }
  if (told <= kFindingsMax) return;
  report_.findings.push_back({.severity = is_any_confirmed ? Severity::kFailed : Severity::kUnknown,
                              .drains = is_any_confirmed,
                              .kind = "schema",
                              .server = replica.name,
                              .text = fmt::format("replica {}: and {} more differences",
                                                  replica.name, told - kFindingsMax)});
}

void FingerprintRun::AddUnread(const std::string& server, const absl::Status& status) {
  report_.findings.push_back(
      {.severity = Severity::kUnknown,
       .drains = false,
       .kind = "schema_unread",
       .server = server,
       .text = fmt::format("{}: its schema could not be read: {}",
                           server == "primary" ? "the primary" : "replica " + server,
                           std::string(status.message()))});
}

}  // namespace headgate::database
