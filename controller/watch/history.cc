#include "controller/watch/history.h"

#include <algorithm>
#include <utility>

namespace headgate::watch {
namespace {

// Figures in a text change from look to look. What a schema differs in is its text.
bool IsTheSame(const database::Finding& a, const database::Finding& b) {
  if (a.kind != b.kind || a.server != b.server) return false;
  const Check check = CheckOf(a.kind);
  return a.text == b.text || (check != Check::kSchema && check != Check::kData);
}

}  // namespace

void History::Keep(const Change& change) {
  changes_.push_back(change);
  if (changes_.size() > kChangesMax) changes_.pop_front();
}

void History::Restore(const Change& change) {
  Known& known = databases_[change.database];
  const auto [entry, is_new] = known.checks.try_emplace(change.check);
  if (is_new) entry->second.first_seen = change.at;
  entry->second.standing = {.verdict = change.to, .why = change.why};
  entry->second.since = change.at;
  Keep(change);
}

std::vector<Change> History::Take(const std::string& database, const database::Report& report,
                                  TimePoint now) {
  Known& known = databases_[database];
  known.last_look = now;
  if (IsComplete(report)) known.last_success = now;
  known.lag = report.lag;
  known.data = report.data;
  if (report.data && report.data->whole_at) {
    known.last_round = now - (report.observed_at - *report.data->whole_at);
  }
  known.notes = report.notes;
  if (!report.progress.empty()) known.notes.push_back("data " + report.progress);
  TakeFindings(known, report, now);
  std::vector<Change> changed;
  std::map<Check, Standing> standings = Weigh(report);
  known.is_whole = standings.size() == kChecks.size();
  for (auto& [check, standing] : standings) {
    const auto [entry, is_new] = known.checks.try_emplace(check);
    CheckHistory& history = entry->second;
    if (is_new) history.first_seen = now;
    const bool has_changed = is_new || history.standing.verdict != standing.verdict;
    if (has_changed) {
      changed.push_back({.at = now,
                         .database = database,
                         .check = check,
                         .from = is_new ? std::nullopt : std::optional(history.standing.verdict),
                         .to = standing.verdict,
                         .why = standing.why});
      history.since = now;
    }
    history.standing = std::move(standing);
  }
  for (const Change& change : changed) Keep(change);
  return changed;
}

void History::TakeFindings(Known& known, const database::Report& report, TimePoint now) {
  std::vector<KnownFinding> findings;
  for (const database::Finding& finding : report.findings) {
    const auto before = std::ranges::find_if(known.findings, [&](const KnownFinding& earlier) {
      return IsTheSame(earlier.finding, finding);
    });
    findings.push_back(
        {.finding = finding, .since = before == known.findings.end() ? now : before->since});
  }
  known.findings = std::move(findings);
}

}  // namespace headgate::watch
