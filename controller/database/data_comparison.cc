#include "controller/database/data_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace headgate::database {
namespace {

// Rows of a replica that are summed up where it may have any number of them.
constexpr std::size_t kCutRows = 50'000;
// Each chunk of a table that no index can walk reads the whole table, so there should be few.
constexpr std::size_t kUnindexedRows = 100'000;
// Before a server that failed is asked again.
constexpr Duration kRetryAfter{250};

ServerRole RoleOf(const Replica& replica) {
  return replica.kind == ReplicaKind::kPhysical ? ServerRole::kPhysical : ServerRole::kLogical;
}

// Whether the server is gone, rather than unable to answer this.
bool IsGone(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsInvalidArgument(status);
}

// Whether asking again could help.
bool IsLasting(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsDataLoss(status) ||
         absl::IsInvalidArgument(status);
}

}  // namespace

DataComparison::DataComparison(const Inventory& inventory, ComparisonOptions options,
                               const ChecksumDialect& dialect, Servers& servers, const Clock& clock)
    : inventory_(inventory),
      options_(std::move(options)),
      dialect_(dialect),
      servers_(servers),
      clock_(clock),
      check_(dialect_, servers_, clock_, options_.deadlines, options_.patience),
      throttle_(options_.cpu_share_percent) {
  const auto address = [&](const std::string& dsn) {
    return AddressForPeople(inventory_.engine, dsn);
  };
  state_.servers = {fmt::format("{} primary {}", dialect_.name(), address(inventory_.primary_dsn))};
  for (const Replica& replica : inventory_.replicas) {
    if (replica.out) continue;
    roles_[replica.name] = RoleOf(replica);
    state_.servers.push_back(fmt::format("{} {}", replica.name, address(replica.dsn)));
  }
  for (const std::string& table : options_.tables) state_.servers.push_back("only " + table);
}

absl::Status DataComparison::Resume(const std::string& state) {
  auto read = ReadComparisonState(state);
  if (!read.ok()) return read.status();
  if (read->servers != state_.servers) {
    return absl::InvalidArgumentError("it is of another comparison: other servers or tables");
  }
  state_ = *std::move(read);
  return absl::OkStatus();
}

Duration DataComparison::Step() {
  if (is_done_ || servers_.IsInterrupted()) return Duration(0);
  if (!has_tables_) {
    ReadTables();
    return Duration(0);
  }
  if (at_ == plans_.size()) {
    is_done_ = true;
    return Duration(0);
  }
  if (Asked().empty()) {
    FinishTable(false);
    return Duration(0);
  }
  return has_bound_ ? NextChunk() : FirstBound();
}

void DataComparison::ReadTables() {
  Questions questions = {
      {Servers::kPrimary, dialect_.TablesStatements(ServerRole::kPrimary, inventory_.schemas)}};
  for (const auto& [replica, role] : roles_) {
    questions[replica] = dialect_.TablesStatements(role, inventory_.schemas);
  }
  const auto answers = servers_.Ask(questions, options_.deadlines, clock_);
  if (servers_.IsInterrupted()) return;
  has_tables_ = true;
  const auto primary =
      dialect_.ReadTables(ServerRole::kPrimary, inventory_.schemas, answers.at(Servers::kPrimary));
  if (!primary.ok()) {
    NoteSilence("primary",
                "its tables could not be read: " + std::string(primary.status().message()));
    return;
  }
  std::map<std::string, ServerTables> replicas;
  for (const auto& [replica, role] : roles_) {
    const auto answered = answers.find(replica);
    auto tables = answered == answers.end()
                      ? absl::InvalidArgumentError("it is in use and has no dsn")
                      : dialect_.ReadTables(role, inventory_.schemas, answered->second);
    if (tables.ok()) {
      replicas.emplace(replica, *std::move(tables));
      continue;
    }
    dropped_.insert(replica);
    NoteSilence(replica, "its tables could not be read, so no data was compared: " +
                             std::string(tables.status().message()));
  }
  TableSelection selection = SelectTables(*primary, replicas, inventory_.replicas, options_.tables);
  plans_ = std::move(selection.plans);
  SortPlans();
  CountTables();
  noted_.insert(noted_.end(), selection.left_out.begin(), selection.left_out.end());
  EnterTable();
}

void DataComparison::SortPlans() {
  if (!options_.smallest_first) return;
  // What is under way stays so: statistics change, and half a table would be lost.
  const auto rank = [&](const TablePlan& plan) {
    return std::tuple(plan.Id() != state_.current, !options_.first.contains(plan.Label()),
                      plan.rows_estimated);
  };
  std::ranges::stable_sort(
      plans_, [&](const TablePlan& a, const TablePlan& b) { return rank(a) < rank(b); });
}

void DataComparison::CountTables() {
  tables_left_.assign(plans_.size() + 1, 0);
  std::set<std::string> tables;
  for (std::size_t i = plans_.size(); i-- > 0;) {
    tables.insert(plans_[i].Label());
    tables_left_[i] = tables.size();
  }
}

// At the first that is left, where the state says.
void DataComparison::EnterTable() {
  while (at_ < plans_.size() && state_.done.contains(plans_[at_].Id())) ++at_;
  has_bound_ = false;
  is_cut_ = false;
  is_partial_ = false;
  skipped_.clear();
  failures_.clear();
  if (at_ == plans_.size()) return;
  density_ = Density(Table().key.front().type);
  if (state_.current == Table().Id()) return;
  BeginTable();
  state_.current = Table().Id();
  state_.after.reset();
  state_.tallies.clear();
  state_.suspects.clear();
}

// What a run before this one found in it, and did not come to its end, is found anew.
void DataComparison::BeginTable() {
  const auto is_of_it = [&](const auto& found) {
    return found.table == Table().Label() &&
           std::ranges::find(Table().replicas, found.server) != Table().replicas.end();
  };
  std::erase_if(state_.findings, is_of_it);
  std::erase_if(state_.differences, is_of_it);
}

// A table that was not compared with each of its replicas is compared again by a run that goes on
// from here.
void DataComparison::FinishTable(bool is_whole) {
  CheckSuspects();
  if (servers_.IsInterrupted()) return;
  for (const auto& [replica, tally] : state_.tallies) TellRest(replica, tally);
  if (is_whole && Asked().size() == Table().replicas.size()) state_.done.insert(state_.current);
  ++at_;
  EnterTable();
}

std::vector<std::string> DataComparison::Asked() const {
  std::vector<std::string> asked;
  for (const std::string& replica : Table().replicas) {
    if (!dropped_.contains(replica) && !skipped_.contains(replica)) asked.push_back(replica);
  }
  return asked;
}

std::size_t DataComparison::RowsWanted() const {
  return Table().IsUnindexed() ? kUnindexedRows : size_.rows();
}

Duration DataComparison::FirstBound() {
  const auto answers = servers_.Ask(
      {{Servers::kPrimary,
        {dialect_.Settings(),
         dialect_.BoundStatement(Table(), {.after = state_.after, .until = {}}, RowsWanted())}}},
      options_.deadlines, clock_);
  if (servers_.IsInterrupted()) return Duration(0);
  auto bound = ReadBound(answers.at(Servers::kPrimary).at(1), Table());
  if (!bound.ok()) {
    return PrimaryFailed(bound.status()) ? kRetryAfter : Duration(0);
  }
  bound_ = std::move(bound->key);
  has_bound_ = true;
  return throttle_.RestAfter(bound->busy);
}

DataComparison::Sums DataComparison::Ask(const KeyRange& range,
                                         const std::vector<std::string>& replicas,
                                         const KeyRange& next_range, std::size_t next_rows) {
  // The primary ends the range, so that it cannot have more rows than it was asked to count.
  const auto rows_max =
      !range.until.has_value() || is_cut_ ? std::optional(kCutRows) : std::nullopt;
  Questions questions;
  std::vector<Statement>& of_primary = questions[Servers::kPrimary];
  of_primary = {dialect_.Settings(), dialect_.SumStatement(Table(), range, std::nullopt)};
  if (next_rows > 0) of_primary.push_back(dialect_.BoundStatement(Table(), next_range, next_rows));
  for (const std::string& replica : replicas) {
    questions[replica] = {dialect_.Settings(), dialect_.SumStatement(Table(), range, rows_max)};
  }
  const auto answers = servers_.Ask(questions, options_.deadlines, clock_);
  const Answers& primary = answers.at(Servers::kPrimary);
  Sums sums{.primary = ReadSum(primary.at(1), std::nullopt),
            .replicas = {},
            .next = next_rows > 0 ? ReadBound(primary.at(2), Table()) : Bound()};
  for (const std::string& replica : replicas) {
    sums.replicas.emplace(replica, ReadSum(answers.at(replica).at(1), rows_max));
  }
  return sums;
}

Duration DataComparison::NextChunk() {
  const KeyRange range{.after = state_.after, .until = bound_};
  const std::optional<Key> counted =
      bound_.has_value() ? density_.Next(*bound_, RowsWanted()) : std::nullopt;
  const bool is_looked_for = bound_.has_value() && !counted.has_value();
  const Sums sums =
      Ask(range, Asked(), {.after = bound_, .until = {}}, is_looked_for ? RowsWanted() : 0);
  if (servers_.IsInterrupted()) return Duration(0);
  if (!AreUsable(sums)) return kRetryAfter;
  const TimePoint began = clock_.Now();
  Microseconds busy = sums.primary->busy + sums.next->busy;
  std::set<std::string> different;
  for (const auto& [replica, sum] : sums.replicas) {
    if (!sum.ok()) continue;
    busy = std::max(busy, sum->busy);
    if (!sum->IsSameAs(*sums.primary)) different.insert(replica);
  }
  if (!Table().IsUnindexed()) size_.Took(sums.primary->rows, sums.primary->busy);
  density_.Saw(range, sums.primary->rows);
  if (!different.empty()) {
    const ComparisonState before = state_;
    Narrow(range, sums, std::move(different));
    if (servers_.IsInterrupted()) {
      state_ = before;
      return Duration(0);
    }
    busy += clock_.Now() - began;
  }
  is_cut_ = false;
  if (!bound_.has_value()) {
    FinishTable(true);
    if (servers_.IsInterrupted()) return Duration(0);
  } else {
    state_.after = bound_;
    is_partial_ = is_partial_ || Asked().size() < Table().replicas.size();
    bound_ = counted.has_value() ? counted : sums.next->key;
  }
  state_.rows_done += sums.primary->rows;
  return throttle_.RestAfter(busy);
}

bool DataComparison::AreUsable(const Sums& sums) {
  const absl::Status primary = sums.primary.ok() ? sums.next.status() : sums.primary.status();
  if (!primary.ok()) {
    PrimaryFailed(primary);
    return false;
  }
  failures_["primary"] = 0;
  bool is_asked_again = false;
  for (const auto& [replica, sum] : sums.replicas) {
    if (sum.ok()) {
      failures_[replica] = 0;
      continue;
    }
    if (absl::IsDeadlineExceeded(sum.status())) is_cut_ = true;
    ReplicaFailed(replica, sum.status());
    is_asked_again = is_asked_again || (!dropped_.contains(replica) && !skipped_.contains(replica));
  }
  return !is_asked_again;
}

// True: it is asked again.
bool DataComparison::PrimaryFailed(const absl::Status& status) {
  if (!IsLasting(status) && ++failures_["primary"] < kAttemptsMax) return true;
  NoteUnread("primary", status);
  if (!IsGone(status)) {
    FinishTable(false);
    return false;
  }
  if (const std::size_t left = plans_.size() - at_ - 1; left > 0) {
    NoteSilence("primary", fmt::format("{} more tables were not compared", left));
  }
  at_ = plans_.size();
  return false;
}

void DataComparison::ReplicaFailed(const std::string& replica, const absl::Status& status) {
  if (!IsLasting(status) && ++failures_[replica] < kAttemptsMax) return;
  if (IsGone(status) || absl::IsDeadlineExceeded(status)) return Drop(replica, status);
  NoteUnread(replica, status);
  skipped_.insert(replica);
}

void DataComparison::Drop(const std::string& replica, const absl::Status& status) {
  dropped_.insert(replica);
  const std::size_t left = PlansLeft(replica) - 1;
  NoteSilence(
      replica,
      fmt::format("it does not answer any more ({}): table {} was not compared to its end{}",
                  std::string(status.message()), Table().Label(),
                  left == 0 ? "" : fmt::format(", and {} more not at all", left)));
}

}  // namespace headgate::database
