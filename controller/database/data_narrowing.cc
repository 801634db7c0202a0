// From a chunk that differs to the rows that do; the other half of DataComparison.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/text.h"
#include "controller/database/data_comparison.h"

namespace headgate::database {
namespace {

// Rows of the parts into which a chunk that differs is cut.
constexpr std::size_t kPartRows = 1'000;
// A replica may have any number of rows where the primary has a part's.
constexpr std::size_t kListedMax = 4'000;
// Of a key's value, as it is told.
constexpr std::size_t kValueBytesMax = 80;

std::string DescribeKey(const RowDifference& row) {
  std::string text;
  for (const auto& [name, value] : row.key) {
    if (!text.empty()) text += ", ";
    std::string shown = CutUtf8(ValidUtf8(value), kValueBytesMax);
    if (shown.size() < value.size()) shown += "…";
    text += fmt::format("{} = {}", name, shown);
  }
  return text;
}

std::string Describe(const RowDifference& row) {
  const std::string subject = fmt::format("table {}: row ({})", row.table, DescribeKey(row));
  switch (row.kind) {
    case RowDifferenceKind::kMissing:
      return subject + " is missing here";
    case RowDifferenceKind::kExtra:
      return subject + " is here and not on the primary";
    case RowDifferenceKind::kDifferent:
      break;
  }
  if (row.columns.empty()) return subject + " differs from the primary's";
  return fmt::format("{} differs from the primary's in {}", subject, fmt::join(row.columns, ", "));
}

}  // namespace

bool DataComparison::IsEnough(const std::string& replica) const {
  const auto tally = state_.tallies.find(replica);
  return tally != state_.tallies.end() && tally->second.confirmed >= kConfirmedMax;
}

void DataComparison::LeaveOut(const std::string& replica, const Sums& sums) {
  TableTally& tally = state_.tallies[replica];
  ++tally.chunks_left;
  tally.rows_left_on_primary += sums.primary->rows;
  tally.rows_left_here += sums.replicas.at(replica)->rows;
}

void DataComparison::LeaveOutRest(const KeyRange& rest, const std::vector<std::string>& replicas) {
  const Sums sums = Ask(rest, replicas, {}, 0);
  for (const auto& [replica, sum] : sums.replicas) {
    if (!sum.ok() || !sums.primary.ok()) {
      ++state_.tallies[replica].chunks_left;
    } else if (!sum->IsSameAs(*sums.primary)) {
      LeaveOut(replica, sums);
    }
  }
}

void DataComparison::Narrow(const KeyRange& range, const Sums& sums,
                            std::set<std::string> replicas) {
  std::erase_if(replicas, [&](const std::string& replica) {
    const bool is_enough = IsEnough(replica);
    if (is_enough) LeaveOut(replica, sums);
    return is_enough;
  });
  KeyRange part = range;
  while (!replicas.empty() && !servers_.IsInterrupted()) {
    // Where the part ends; the primary's rows of a chunk are few enough to be counted out.
    const auto answers =
        servers_.Ask({{Servers::kPrimary,
                       {dialect_.Settings(),
                        dialect_.BoundStatement(
                            Table(), {.after = part.after, .until = range.until}, kPartRows)}}},
                     options_.deadlines, clock_);
    const auto bound = ReadBound(answers.at(Servers::kPrimary).at(1), Table());
    part.until = bound.ok() && bound->key.has_value() ? bound->key : range.until;
    const Sums parts = Ask(part, {replicas.begin(), replicas.end()}, {}, 0);
    std::set<std::string> different;
    for (const auto& [replica, sum] : parts.replicas) {
      // What cannot be summed up now is looked at row by row, and there it is told if it fails.
      if (!sum.ok() || !parts.primary.ok() || !sum->IsSameAs(*parts.primary)) {
        different.insert(replica);
      }
    }
    if (!different.empty()) List(part, different);
    std::vector<std::string> enough;
    std::ranges::copy_if(replicas, std::back_inserter(enough),
                         [&](const std::string& replica) { return IsEnough(replica); });
    for (const std::string& replica : enough) replicas.erase(replica);
    if (part.until == range.until) return;
    part.after = part.until;
    if (!enough.empty()) LeaveOutRest({.after = part.after, .until = range.until}, enough);
  }
}

void DataComparison::List(const KeyRange& range, const std::set<std::string>& replicas) {
  const std::vector<Statement> statements = {dialect_.Settings(),
                                             dialect_.ListStatement(Table(), range, kListedMax)};
  Questions questions = {{Servers::kPrimary, statements}};
  for (const std::string& replica : replicas) questions[replica] = statements;
  const auto answers = servers_.Ask(questions, options_.deadlines, clock_);
  if (servers_.IsInterrupted()) return;
  const auto there = ReadListed(answers.at(Servers::kPrimary).at(1), Table());
  bool is_full = false;
  for (const std::string& replica : replicas) {
    const auto here = ReadListed(answers.at(replica).at(1), Table());
    TableTally& tally = state_.tallies[replica];
    if (!here.ok() || !there.ok()) {
      ++tally.unsettled;
      tally.why_unsettled = std::string((here.ok() ? there : here).status().message());
      continue;
    }
    std::vector<Key>& suspects = state_.suspects[replica];
    const std::vector<Key> different = DifferentRows(*there, *here);
    suspects.insert(suspects.end(), different.begin(), different.end());
    is_full = is_full || suspects.size() >= kSuspectsMax;
    if (here->size() < kListedMax) continue;
    ++tally.chunks_left;
    tally.rows_left_on_primary += there->size();
    tally.rows_left_here += here->size();
  }
  if (is_full) CheckSuspects();
}

void DataComparison::CheckSuspects() {
  // Nothing more is learnt of them; that they do not answer has been told.
  std::erase_if(state_.suspects,
                [&](const auto& replica) { return dropped_.contains(replica.first); });
  const bool is_any = std::ranges::any_of(
      state_.suspects, [](const auto& replica) { return !replica.second.empty(); });
  if (!is_any) return;
  const auto findings = check_.Check(Table(), state_.suspects, roles_);
  // What was cut short proves nothing; the suspects stay.
  if (servers_.IsInterrupted()) return;
  state_.suspects.clear();
  for (const auto& [replica, found] : findings) {
    TableTally& tally = state_.tallies[replica];
    for (const RowDifference& row : found.confirmed) Tell(row);
    tally.unsettled += found.unsettled;
    if (found.unsettled > 0) tally.why_unsettled = found.why_unsettled;
  }
}

void DataComparison::Tell(const RowDifference& row) {
  TableTally& tally = state_.tallies[row.server];
  ++tally.confirmed;
  // Found before, by a run that this one goes on from.
  if (std::ranges::find(state_.differences, row) != state_.differences.end()) return;
  const auto kept = std::ranges::count(state_.differences, row.server, &RowDifference::server);
  if (static_cast<std::size_t>(kept) < kDifferencesMax) state_.differences.push_back(row);
  if (static_cast<std::size_t>(kept) >= kRowsToldMax) return;
  ++tally.told;
  Settle(Severity::kFailed, row.server, Describe(row));
}

void DataComparison::Settle(Severity severity, const std::string& replica,
                            const std::string& what) {
  Finding finding{.severity = severity,
                  .drains = severity == Severity::kFailed,
                  .kind = "data",
                  .server = replica,
                  .table = Table().Label(),
                  .text = fmt::format("replica {}: {}", replica, what)};
  if (std::ranges::find(state_.findings, finding) == state_.findings.end()) {
    state_.findings.push_back(std::move(finding));
  }
}

void DataComparison::TellRest(const std::string& replica, const TableTally& tally) {
  const std::string table = fmt::format("table {}: ", Table().Label());
  if (tally.confirmed > tally.told) {
    Settle(Severity::kFailed, replica,
           fmt::format("{}{} more rows differ from the primary's", table,
                       tally.confirmed - tally.told));
  }
  if (tally.unsettled > 0) {
    Settle(Severity::kUnknown, replica,
           fmt::format("{}{} rows could not be compared: {}", table, tally.unsettled,
                       tally.why_unsettled));
  }
  if (tally.chunks_left == 0) return;
  // Without a row that was confirmed they may be rows on their way.
  Settle(tally.confirmed > 0 ? Severity::kFailed : Severity::kUnknown, replica,
         fmt::format("{}what else differs was not looked at row by row: parts with {} rows on the "
                     "primary and {} here",
                     table, tally.rows_left_on_primary, tally.rows_left_here));
}

}  // namespace headgate::database
