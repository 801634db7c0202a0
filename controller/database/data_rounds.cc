#include "controller/database/data_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/duration.h"
#include "controller/database/allowance.h"

namespace headgate::database {
namespace {

std::string RowsText(std::uint64_t rows) {
  if (rows < 10'000) return fmt::format("{}", rows);
  if (rows < 1'000'000) return fmt::format("{} k", rows / 1'000);
  const double millions = double(rows) / 1e6;
  return millions < 100 ? fmt::format("{:.1f} M", millions) : fmt::format("{:.0f} M", millions);
}

}  // namespace

std::string InSeconds(Duration age) {
  return FormatDuration(std::chrono::duration_cast<std::chrono::seconds>(age));
}

bool IsDataAllowed(const std::vector<std::string>& allow, const Finding& finding) {
  // A page that cannot be read is no difference.
  const std::string_view table = finding.table;
  const std::size_t dot = table.find('.');
  return finding.kind == "data" && dot != std::string_view::npos &&
         IsAllowed(allow, table.substr(0, dot), table.substr(dot + 1), "");
}

std::vector<Finding> MergeRounds(const std::vector<Finding>& earlier, const RoundFindings& round) {
  std::vector<Finding> merged = round.findings;
  for (const Finding& finding : earlier) {
    if (!finding.table.empty() && round.passed.contains(finding.table)) continue;
    if (std::ranges::find(merged, finding) == merged.end()) merged.push_back(finding);
  }
  return merged;
}

std::vector<Finding> CloseRound(const std::vector<Finding>& earlier, const RoundFindings& round,
                                bool is_whole) {
  std::vector<Finding> left = round.findings;
  for (const Finding& finding : MergeRounds(earlier, round)) {
    if (finding.severity != Severity::kFailed) continue;
    // Either it was not come to, or the table cannot be compared any more.
    const bool is_open = !is_whole || std::ranges::any_of(round.findings, [&](const Finding& now) {
      return now.table == finding.table;
    });
    if (is_open && std::ranges::find(left, finding) == left.end()) left.push_back(finding);
  }
  return left;
}

void AddAllowance(const std::vector<std::string>& allow, DataReport& report) {
  std::vector<Finding> counted;
  for (Finding& finding : report.findings) {
    if (IsDataAllowed(allow, finding)) {
      report.notes.push_back("allowed: " + finding.text);
      continue;
    }
    if (finding.severity == Severity::kUnknown && !finding.table.empty()) {
      finding.text += fmt::format("; to go on without it: allow: [{}]", finding.table);
    }
    counted.push_back(std::move(finding));
  }
  report.findings = std::move(counted);
}

int PercentOf(const DataStanding& standing) {
  if (standing.table.empty() && standing.tables > 0) return 100;
  if (standing.rows_estimated == 0) return 0;
  return std::min(
      99, static_cast<int>(100.0 * double(standing.rows_done) / double(standing.rows_estimated)));
}

std::string DescribeWhole(const DataStanding& standing, TimePoint now) {
  if (!standing.whole_at) return "not compared whole yet";
  return fmt::format("all compared {} ago, in {}", InSeconds(now - *standing.whole_at),
                     FormatDuration(standing.whole_took));
}

std::string DescribeProgress(const DataStanding& standing) {
  if (standing.tables == 0) return "the tables are being read";
  return fmt::format("{}{} of {} tables, {} of about {} rows, {} %",
                     standing.table.empty() ? "" : standing.table + ", ", standing.tables_done,
                     standing.tables, RowsText(standing.rows_done),
                     RowsText(standing.rows_estimated), PercentOf(standing));
}

}  // namespace headgate::database
