#include "cli/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "common/base/rounded.h"
#include "controller/engine/adaptive.h"

namespace headgate::cli {
namespace {

constexpr double kAfterTheLastMark_s = 60;
constexpr std::size_t kSecondsMin = 120;
// One column each.
constexpr std::string_view kLabels = "123456789abcdefghijklmnopqrstuvwxyz";
static_assert(kLabels.size() >= kMarksMax);

bool IsWorthAMark(const rehearsal::Decision& decision) {
  return decision.at_s >= 0 && (decision.from != decision.to || decision.phase == "HOLDING");
}

}  // namespace

std::vector<Mark> MarksOf(const rehearsal::RunRecord& record) {
  std::vector<Mark> marks;
  for (const rehearsal::Decision& decision : record.decisions) {
    if (marks.size() == kMarksMax) break;
    if (!IsWorthAMark(decision)) continue;
    marks.push_back({.label = kLabels[marks.size()], .decision = decision});
  }
  return marks;
}

std::size_t CountOfMarks(const rehearsal::RunRecord& record) {
  return static_cast<std::size_t>(std::ranges::count_if(record.decisions, IsWorthAMark));
}

std::size_t SecondsWorthDrawing(const rehearsal::RunRecord& record) {
  double last_s = 0;
  for (const rehearsal::Decision& decision : record.decisions) {
    if (IsWorthAMark(decision)) last_s = decision.at_s;
  }
  const auto worth = static_cast<std::size_t>(std::ceil(last_s + kAfterTheLastMark_s));
  return std::min(record.moments.size(), std::max(worth, kSecondsMin));
}

std::optional<double> ErrorLimitOf(const engine::PlanSpec& plan) {
  std::optional<double> limit;
  for (const engine::CheckSpec& check : plan.checks) {
    const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind);
    if (ratio == nullptr) continue;
    const auto* agents = std::get_if<engine::AgentRatio>(&ratio->source);
    if (agents != nullptr && agents->metric != engine::AgentRatio::Metric::kHttp5xx) continue;
    limit = std::min(limit.value_or(1), ratio->limit_ppm / 1e6);
  }
  return limit;
}

std::optional<double> ErrorBaselineOf(const engine::PlanSpec& plan) {
  for (const engine::CheckSpec& check : plan.checks) {
    const engine::AgentRatio* agents = engine::AgentRatioOf(check);
    if (agents == nullptr || agents->metric != engine::AgentRatio::Metric::kHttp5xx) continue;
    const auto& baseline_ppm = std::get<engine::RatioCheck>(check.kind).baseline_ppm;
    if (baseline_ppm) return *baseline_ppm / 1e6;
  }
  return std::nullopt;
}

std::optional<double> SlowLimitOf(const engine::PlanSpec& plan) {
  std::optional<double> limit;
  for (const engine::CheckSpec& check : plan.checks) {
    if (!engine::CountsSlow(check)) continue;
    limit = std::min(limit.value_or(1), std::get<engine::RatioCheck>(check.kind).limit_ppm / 1e6);
  }
  return limit;
}

std::string ClockText(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3'600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3'600, whole / 60 % 60, whole % 60);
}

std::string CauseText(const rehearsal::Decision& decision) {
  return RoundDurations(Clean(decision.cause.what) + ": " + Clean(decision.cause.why));
}

std::string MoveText(const rehearsal::Decision& decision) {
  if (decision.from == decision.to) return "at " + decision.to.ToString() + ", " + decision.phase;
  return decision.from.ToString() + " -> " + decision.to.ToString();
}

}  // namespace headgate::cli
