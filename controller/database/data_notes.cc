// What a comparison says of itself: how far it is, and what kept it from getting further; the third
// part of DataComparison.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "controller/database/data_comparison.h"

namespace headgate::database {

std::string DataComparison::Save() const {
  if (!is_partial_) return WriteComparisonState(state_);
  // Whoever goes on with all replicas must not pass over what one of them was not asked.
  ComparisonState state = state_;
  state.current.clear();
  state.after.reset();
  state.tallies.clear();
  state.suspects.clear();
  return WriteComparisonState(state);
}

std::size_t DataComparison::PlansLeft(const std::string& replica) const {
  std::size_t left = 0;
  for (std::size_t i = at_; i < plans_.size(); ++i) {
    const std::vector<std::string>& replicas = plans_[i].replicas;
    if (std::ranges::find(replicas, replica) != replicas.end()) ++left;
  }
  return left;
}

ComparisonProgress DataComparison::Progress() const {
  double estimated = 0;
  for (const TablePlan& plan : plans_) estimated += plan.rows_estimated;
  return {.table = at_ < plans_.size() ? Table().Label() : "",
          .tables_done = tables_left_.front() - tables_left_.at(at_),
          .tables = tables_left_.front(),
          .rows_done = state_.rows_done,
          .rows_estimated = std::max(state_.rows_done, static_cast<std::uint64_t>(estimated))};
}

std::set<std::string> DataComparison::TablesPassed() const {
  std::set<std::string> passed;
  for (const TablePlan& plan : plans_) passed.insert(plan.Label());
  for (const TablePlan& plan : plans_) {
    if (!state_.done.contains(plan.Id())) passed.erase(plan.Label());
  }
  return passed;
}

std::vector<Finding> DataComparison::Findings() const {
  std::vector<Finding> findings = state_.findings;
  findings.insert(findings.end(), noted_.begin(), noted_.end());
  findings.insert(findings.end(), silences_.begin(), silences_.end());
  return findings;
}

Finding DataComparison::Noted(Severity severity, const std::string& server,
                              const std::string& what) const {
  return {.severity = severity,
          .drains = false,
          .kind = "data",
          .server = server,
          .table = at_ < plans_.size() ? Table().Label() : "",
          .text = fmt::format("{}: {}", server == "primary" ? "the primary" : "replica " + server,
                              what)};
}

void DataComparison::NoteSilence(const std::string& server, const std::string& what) {
  silences_.push_back(Noted(Severity::kUnknown, server, what));
  // It is not that table's fault.
  silences_.back().table.clear();
  hindrance_ = silences_.back().text;
}

void DataComparison::NoteUnread(const std::string& server, const absl::Status& status) {
  const bool is_damaged = absl::IsDataLoss(status);
  noted_.push_back(Noted(is_damaged ? Severity::kFailed : Severity::kUnknown, server,
                         fmt::format("table {} could not be read to its end: {}", Table().Label(),
                                     std::string(status.message()))));
  if (!is_damaged) {
    hindrance_ = noted_.back().text;
    return;
  }
  noted_.back().kind = "damaged";
  // Damage on the primary is no divergence: its replicas may be the sound ones.
  noted_.back().drains = server != "primary";
}

}  // namespace headgate::database
