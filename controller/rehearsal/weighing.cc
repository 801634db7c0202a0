#include "controller/rehearsal/weighing.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include "controller/engine/adaptive.h"
#include "controller/engine/explain.h"
#include "controller/engine/judge.h"

namespace headgate::rehearsal {
namespace {

// A value or a database has no scale of its own between holding and failing.
double OfVerdict(engine::Verdict verdict) {
  switch (verdict) {
    case engine::Verdict::kHealthy:
    case engine::Verdict::kUnknown:
      return 0;
    case engine::Verdict::kDegraded:
      return 0.5;
    case engine::Verdict::kFailed:
      return 1;
  }
  return 0;
}

double AgainstOf(const engine::CheckSpec& check, const engine::Evidence& evidence, TimePoint now,
                 double bar) {
  const engine::Verdict verdict =
      engine::Judge(check, evidence, now, {.against_bar = bar, .in_words = false}).verdict;
  const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind);
  const auto counts = evidence.ratios.find(check.name);
  const bool is_weighed = ratio != nullptr && counts != evidence.ratios.end() &&
                          verdict != engine::Verdict::kFailed &&
                          verdict != engine::Verdict::kUnknown;
  if (!is_weighed) return OfVerdict(verdict);
  if (counts->second.weighed && bar > 1) {
    const double nats = std::log(std::max(counts->second.weighed->evidence.Against(), 1.0));
    return std::min(1.0, nats / std::log(bar));
  }
  const engine::Tally tally = counts->second.sum.Sum(now);
  return std::min(1.0, engine::NatsAgainst(tally, ratio->limit_ppm / 1e6) / engine::kFailedNats);
}

// Of the check that is furthest from proving the share.
double ForOf(const engine::Evidence& evidence) {
  double least = 1;
  for (const auto& [name, ratio] : evidence.ratios) {
    if (ratio.weighed) least = std::min(least, ratio.weighed->evidence.For() / engine::kForNats);
  }
  return std::max(least, 0.0);
}

}  // namespace

Weighing Weigh(const engine::Gate& gate, TimePoint now) {
  Weighing weighing;
  if (!gate.record.restoration) return weighing;
  const engine::Restoration& restoration = *gate.record.restoration;
  // Nothing is weighed any more.
  if (engine::HasEnded(restoration)) return weighing;
  const engine::PlanSpec& plan = restoration.plan.spec();
  const bool is_adaptive = engine::IsAdaptive(restoration);
  const double bar = is_adaptive ? engine::AgainstBar(restoration) : 0;
  for (const engine::CheckSpec& check : plan.checks) {
    const double against = AgainstOf(check, gate.evidence, now, bar);
    if (against > weighing.against) weighing = {.against = against, .check = check.name};
  }
  // At 100 % there is nothing to raise to.
  const bool is_watched = std::holds_alternative<engine::Watching>(restoration.phase);
  if (is_adaptive && !is_watched) {
    weighing.in_favour = ForOf(gate.evidence);
  } else if (gate.clear_since && !is_watched) {
    const double clear = double((now - *gate.clear_since).count());
    weighing.in_favour = std::min(1.0, clear / double(plan.bake_min.count()));
  }
  return weighing;
}

}  // namespace headgate::rehearsal
