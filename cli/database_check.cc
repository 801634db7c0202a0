#include "cli/database_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "controller/database/baseline.h"
#include "controller/database/data_rounds.h"
#include "controller/database/expected_schema.h"

namespace headgate::cli {
namespace {

using database::ReplicaKind;
using database::Servers;

constexpr database::Session::Deadlines kSchemaDeadlines{
    .connect = Duration(3'000), .statement = Duration(10'000), .total = Duration(15'000)};
// Between two looks of one that waits.
constexpr Duration kWaitPause{1'000};
// How often one that waits for the same says so: what it says has figures in it that move.
constexpr Duration kWaitToldEvery{10'000};
constexpr Duration kKeepEvery{2'000};
// Differences from the baseline that are told of one server.
constexpr std::size_t kToldMax = 20;

// As the replicas say: one that is in recovery is a physical one. Who does not answer is told of
// later.
DeclaredDatabase WithKinds(DeclaredDatabase declared, const Clock& clock) {
  if (!declared.asks_kind) return declared;
  Servers servers(declared.inventory);
  database::Questions questions;
  for (const database::Replica& replica : declared.inventory.replicas) {
    questions[replica.name] = {{.sql = "SELECT pg_is_in_recovery()", .parameters = {}}};
  }
  if (questions.empty()) return declared;
  const auto answers = servers.Ask(questions, kSchemaDeadlines, clock);
  for (database::Replica& replica : declared.inventory.replicas) {
    const auto& answer = answers.at(replica.name).front();
    const bool is_primary = answer.ok() && answer->size() == 1 && answer->front().front() == "f";
    replica.kind = is_primary ? ReplicaKind::kLogical : ReplicaKind::kPhysical;
  }
  return declared;
}

}  // namespace

DatabaseCheck::DatabaseCheck(DeclaredDatabase declared, const DbcheckFlags& flags,
                             std::optional<database::Schema> baseline, Teller teller,
                             const Clock& clock)
    : flags_(flags),
      baseline_(std::move(baseline)),
      teller_(std::move(teller)),
      clock_(clock),
      checked_{.declared = WithKinds(std::move(declared), clock)},
      servers_(checked_.declared.inventory),
      probe_(database::MakeProbe(checked_.declared.inventory)),
      schemas_(database::MakeSchemaDialect(checked_.declared.inventory.engine)),
      checksums_(database::MakeChecksumDialect(checked_.declared.inventory.engine)) {}

void DatabaseCheck::Interrupt() {
  servers_.Interrupt();
  probe_->Interrupt();
}

absl::Status DatabaseCheck::Run(const std::string& state, bool waits) {
  const TimePoint began = clock_.Now();
  std::string resumed = state;
  std::vector<database::Finding> before;
  while (true) {
    checked_.findings.clear();
    checked_.allowed.clear();
    checked_.has_compared_data = false;
    checked_.progress = {};
    CheckReplication();
    // Also where replication is broken: a column that is missing may be why, and no wait mends it.
    CheckSchemas();
    if (!flags_.schema_only && !checked_.declared.inventory.replicas.empty() &&
        (!waits || IsSame())) {
      database::DataComparison comparison(checked_.declared.inventory, Options(), *checksums_,
                                          servers_, clock_);
      if (!resumed.empty()) {
        if (absl::Status status = comparison.Resume(resumed); !status.ok()) return status;
      }
      resumed.clear();
      CompareData(comparison);
    }
    checked_.took = clock_.Now() - began;
    if (!waits || JudgeSameness(checked_.findings) != Sameness::kUnknown) return absl::OkStatus();
    // A table without a key gets none by waiting.
    if (checked_.has_compared_data && checked_.findings == before) return absl::OkStatus();
    before = checked_.has_compared_data ? checked_.findings : std::vector<database::Finding>();
    TellWait(checked_.findings.front());
    if (!servers_.Pause(kWaitPause)) return absl::OkStatus();
  }
}

void DatabaseCheck::TellWait(const database::Finding& cause) {
  const bool is_same =
      waits_for_ && waits_for_->kind == cause.kind && waits_for_->server == cause.server;
  if (is_same && clock_.Now() - wait_told_ < kWaitToldEvery) return;
  wait_told_ = clock_.Now();
  waits_for_ = cause;
  teller_.phase("waiting: " + cause.text);
}

// What was typed goes before what the plan says.
database::ComparisonOptions DatabaseCheck::Options() const {
  const database::RollingOptions plan = checked_.declared.data.value_or(database::RollingOptions());
  return {.tables = flags_.tables.empty() ? plan.tables : flags_.tables,
          .cpu_share_percent = flags_.cpu_share_percent.value_or(plan.cpu_share_percent)};
}

void DatabaseCheck::Add(const std::vector<database::Finding>& findings) {
  for (const database::Finding& finding : findings) {
    const bool is_allowed = IsAllowed(finding, flags_.allowed) ||
                            database::IsDataAllowed(checked_.declared.inventory.allow, finding);
    auto& list = is_allowed ? checked_.allowed : checked_.findings;
    if (std::ranges::find(list, finding) == list.end()) list.push_back(finding);
  }
}

void DatabaseCheck::AddAllowed(const std::vector<std::string>& notes) {
  constexpr std::string_view kAllowed = "allowed: ";
  for (const std::string& note : notes) {
    if (!note.starts_with(kAllowed)) continue;
    checked_.allowed.push_back({.severity = database::Severity::kDegraded,
                                .kind = "schema",
                                .server = "",
                                .text = note.substr(kAllowed.size())});
  }
}

void DatabaseCheck::CheckReplication() {
  if (checked_.declared.inventory.replicas.empty()) return;
  if (!waits_for_) teller_.phase("replication");
  Add(probe_->Look(clock_).findings);
}

void DatabaseCheck::CheckSchemas() {
  if (!waits_for_) teller_.phase("schemas");
  if (!checked_.declared.inventory.replicas.empty()) {
    const database::Report report = probe_->Fingerprint(clock_);
    Add(report.findings);
    AddAllowed(report.notes);
  }
  if (baseline_.has_value()) CheckBaseline();
}

void DatabaseCheck::CheckBaseline() {
  std::vector<std::string> compared = {"primary"};
  for (const database::Replica& replica : checked_.declared.inventory.replicas) {
    // A logical replica has a part of the primary's schema, which has been compared with it.
    if (!replica.out && replica.kind == ReplicaKind::kPhysical) compared.push_back(replica.name);
  }
  for (const std::string& server : compared) {
    const auto schema = ReadSchemaOf(server == "primary" ? Servers::kPrimary : server);
    if (schema.ok()) {
      const database::Inventory& inventory = checked_.declared.inventory;
      Add(database::CompareWithBaseline(database::ComparedPart(*baseline_, inventory),
                                        database::ComparedPart(*schema, inventory), server,
                                        kToldMax));
      continue;
    }
    Add({{.severity = database::Severity::kUnknown,
          .drains = false,
          .kind = "schema_unread",
          .server = server,
          .text = fmt::format("{}: its schema could not be read: {}",
                              server == "primary" ? "the primary" : "replica " + server,
                              std::string(schema.status().message()))}});
  }
}

absl::StatusOr<database::Schema> DatabaseCheck::ReadSchemaOf(const std::string& server) {
  const database::Inventory& inventory = checked_.declared.inventory;
  const auto replica = std::ranges::find(inventory.replicas, server, &database::Replica::name);
  const bool is_primary = replica == inventory.replicas.end();
  const auto answers =
      servers_.Ask({{server, is_primary ? schemas_->AskPrimary(inventory)
                                        : schemas_->AskReplica(inventory, *replica)}},
                   kSchemaDeadlines, clock_);
  const auto answered = answers.find(server);
  if (answered == answers.end()) return absl::InvalidArgumentError("it is in use and has no dsn");
  if (is_primary) {
    auto read = schemas_->ReadPrimary(inventory, answered->second);
    if (!read.ok()) return read.status();
    return std::move(read->schema);
  }
  auto read = schemas_->ReadReplica(inventory, *replica, answered->second);
  if (!read.ok()) return read.status();
  return std::move(read->schema);
}

absl::StatusOr<database::Schema> DatabaseCheck::ReadPrimarySchema() {
  return ReadSchemaOf(Servers::kPrimary);
}

void DatabaseCheck::CompareData(database::DataComparison& comparison) {
  teller_.phase("data");
  TimePoint kept = clock_.Now();
  while (!comparison.IsDone() && !servers_.IsInterrupted()) {
    const Duration rest = comparison.Step();
    teller_.progress(comparison.Progress());
    if (clock_.Now() - kept >= kKeepEvery) {
      kept = clock_.Now();
      teller_.keep(comparison.Save());
    }
    if (rest > Duration(0) && !servers_.Pause(rest)) break;
  }
  teller_.keep(comparison.IsDone() ? "" : comparison.Save());
  Add(comparison.Findings());
  checked_.rows = comparison.Differences();
  checked_.progress = comparison.Progress();
  checked_.has_compared_data = comparison.IsDone();
  if (comparison.IsDone()) return;
  Add({{.severity = database::Severity::kUnknown,
        .drains = false,
        .kind = "data",
        .server = "primary",
        .text = fmt::format("the primary: the comparison of data was ended after {} rows",
                            checked_.progress.rows_done)}});
}

}  // namespace headgate::cli
