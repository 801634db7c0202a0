#include "controller/database/rolling_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/duration.h"
#include "controller/database/probe.h"
#include "controller/database/rolling_state.h"
#include "controller/database/whole_file.h"

namespace headgate::database {
namespace {

constexpr Session::Deadlines kAskAgain{
    .connect = Duration(1'000), .statement = Duration(1'000), .total = Duration(2'000)};

}  // namespace

RollingComparison::RollingComparison(Inventory inventory, RollingOptions options,
                                     const Clock& clock)
    : inventory_(std::move(inventory)),
      options_(std::move(options)),
      clock_(clock),
      dialect_(MakeChecksumDialect(inventory_.engine)),
      servers_(inventory_),
      born_(clock.Now()),
      kept_at_(born_),
      next_at_(born_),
      round_began_(born_) {
  if (!options_.state_file.empty()) Restore();
}

void RollingComparison::Restore() {
  const auto text = ReadWholeFile(options_.state_file, kStateBytesMax);
  if (!text.ok()) {
    if (!absl::IsNotFound(text.status())) unkept_ = std::string(text.status().message());
    return;
  }
  auto state = ReadRollingState(*text);
  if (!state.ok()) return;
  // Only that knows whether it is of these servers and tables.
  DataComparison round(inventory_, Options(), *dialect_, servers_, clock_);
  if (!round.Resume(state->round).ok()) return;
  resumed_ = std::move(state->round);
  earlier_ = std::move(state->earlier);
  standing_.whole_at = state->whole_at;
  standing_.whole_took = state->whole_took;
  if (state->whole_at) rounds_ended_ = 1;
}

void RollingComparison::Keep() {
  if (options_.state_file.empty()) return;
  kept_at_ = clock_.Now();
  RollingState state{.whole_at = standing_.whole_at,
                     .whole_took = standing_.whole_took,
                     .earlier = MergeRounds(earlier_, round_),
                     .round = resumed_};
  if (comparison_) {
    state.round = comparison_->Save();
  } else if (state.round.empty()) {
    state.round = DataComparison(inventory_, Options(), *dialect_, servers_, clock_).Save();
  }
  unkept_ = std::string(WriteWholeFile(options_.state_file, WriteRollingState(state)).message());
}

ComparisonOptions RollingComparison::Options() const {
  ComparisonOptions options{.tables = options_.tables,
                            .smallest_first = true,
                            .cpu_share_percent = options_.cpu_share_percent};
  for (const Finding& finding : earlier_) {
    if (!finding.table.empty()) options.first.insert(finding.table);
  }
  return options;
}

Duration RollingComparison::Step() {
  if (servers_.IsInterrupted()) return Duration(0);
  if (!comparison_) {
    const TimePoint now = clock_.Now();
    if (now < next_at_) return next_at_ - now;
    Begin();
  }
  const std::string before = is_resigned_ ? "" : comparison_->Save();
  const Duration rest = comparison_->Step();
  if (servers_.IsInterrupted()) return Duration(0);
  if (IsHindered()) {
    GoOnLater(before, kHinderedRest);
    return kHinderedRest;
  }
  LookAtProgress();
  if (!comparison_->IsDone()) {
    if (clock_.Now() - kept_at_ >= kKeepEvery) Keep();
    if (IsSomebodyBack()) GoOnLater(comparison_->Save(), Duration(0));
    return rest;
  }
  EndRound();
  return std::max(next_at_ - clock_.Now(), Duration(0));
}

void RollingComparison::Begin() {
  comparison_ =
      std::make_unique<DataComparison>(inventory_, Options(), *dialect_, servers_, clock_);
  // A state that cannot be read costs the round that it is of.
  if (resumed_.empty() || !comparison_->Resume(resumed_).ok()) {
    round_began_ = clock_.Now();
    hindrances_ = 0;
    hindered_at_rows_ = 0;
    is_resigned_ = false;
  }
  resumed_.clear();
}

void RollingComparison::LookAtProgress() {
  hindrance_.clear();
  round_ = {.findings = comparison_->Findings(), .passed = comparison_->TablesPassed()};
  const ComparisonProgress progress = comparison_->Progress();
  // All have told their tables.
  if (progress.tables > 0 && comparison_->Silences().empty()) silences_.clear();
  standing_.table = progress.table;
  standing_.tables_done = progress.tables_done;
  standing_.tables = progress.tables;
  standing_.rows_done = progress.rows_done;
  standing_.rows_estimated = progress.rows_estimated;
}

void RollingComparison::GoOnLater(std::string from, Duration rest) {
  // Where a table is begun anew, what differs in it stays told meanwhile.
  RoundFindings different = round_;
  std::erase_if(different.findings,
                [](const Finding& finding) { return finding.severity != Severity::kFailed; });
  earlier_ = MergeRounds(earlier_, different);
  resumed_ = std::move(from);
  comparison_.reset();
  next_at_ = clock_.Now() + rest;
}

bool RollingComparison::IsHindered() {
  if (is_resigned_ || comparison_->Hindrance().empty()) return false;
  const std::uint64_t rows = comparison_->Progress().rows_done;
  if (rows > hindered_at_rows_) hindrances_ = 0;
  hindered_at_rows_ = rows;
  if (hindrances_ >= kHindrancesMax) {
    is_resigned_ = true;
    asked_again_ = clock_.Now();
    return false;
  }
  ++hindrances_;
  hindrance_ = comparison_->Hindrance();
  return true;
}

bool RollingComparison::IsSomebodyBack() {
  const TimePoint now = clock_.Now();
  if (!is_resigned_ || comparison_->Dropped().empty() || now - asked_again_ < kAskAgainEvery) {
    return false;
  }
  asked_again_ = now;
  Questions questions;
  for (const std::string& replica : comparison_->Dropped()) {
    questions[replica] = {dialect_->Settings()};
  }
  const auto answers = servers_.Ask(questions, kAskAgain, clock_);
  const bool is_back = std::ranges::any_of(
      answers, [](const auto& answered) { return answered.second.front().ok(); });
  if (is_back) is_resigned_ = false;
  return is_back;
}

void RollingComparison::EndRound() {
  was_whole_ = comparison_->Hindrance().empty();
  silences_ = comparison_->Silences();
  std::erase_if(round_.findings, [&](const Finding& finding) {
    return std::ranges::find(silences_, finding) != silences_.end();
  });
  comparison_.reset();
  earlier_ = CloseRound(earlier_, round_, was_whole_);
  round_ = {};
  const TimePoint now = clock_.Now();
  ++rounds_ended_;
  if (was_whole_) {
    standing_.whole_at = now;
    standing_.whole_took = now - round_began_;
  }
  standing_.table.clear();
  Keep();
  next_at_ = std::max(round_began_ + options_.every, now + std::min(options_.every, kRestLeast));
}

DataReport RollingComparison::Told() const {
  const TimePoint now = clock_.Now();
  DataReport report{.findings = MergeRounds(earlier_, round_),
                    .notes = {},
                    .pending = Pending(now),
                    .progress = Progress(now),
                    .standing = standing_};
  report.findings.insert(report.findings.end(), silences_.begin(), silences_.end());
  AddAllowance(inventory_.allow, report);
  return report;
}

std::string RollingComparison::Pending(TimePoint now) const {
  if (rounds_ended_ > 0 || (options_.patience && now - born_ >= *options_.patience)) return "";
  return fmt::format(
      "the data have not been compared whole yet: {}; waits for that {}",
      DescribeProgress(standing_),
      options_.patience ? "for at most " + FormatDuration(*options_.patience) : "however long");
}

std::string RollingComparison::Progress(TimePoint now) const {
  std::string text;
  if (!unkept_.empty()) text += "; its state is not kept: " + unkept_;
  if (!hindrance_.empty()) return text + "; waits to go on: " + hindrance_;
  if (!comparison_ && rounds_ended_ > 0) {
    if (!was_whole_) return text + "; the newest round could not compare everything";
    if (standing_.tables == 0) return text + " (there is no table that can be)";
    return text + fmt::format(" ({})", DescribeProgress(standing_));
  }
  return text + fmt::format("; round {} for {}: {}", rounds_ended_ + 1,
                            InSeconds(now - round_began_), DescribeProgress(standing_));
}

}  // namespace headgate::database
