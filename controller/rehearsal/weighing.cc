#include "controller/rehearsal/weighing.h"

#include <algorithm>
#include <cmath>
#include <variant>

#include "controller/engine/adaptive.h"
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

// In nats, of those that a retreat needs.
double NatsOf(const engine::RatioEvidence& evidence, double limit, double bar, TimePoint now) {
  if (!evidence.weighed || bar <= 1) {
    return engine::NatsAgainst(evidence.sum.Sum(now), limit) / engine::kFailedNats;
  }
  const double against = evidence.weighed->evidence.Against();
  return against > 1 ? std::log(against) / std::log(bar) : 0;
}

double AgainstOf(const engine::CheckSpec& check, const engine::Gate& gate, double bar,
                 TimePoint now) {
  const engine::Evidence& evidence = gate.evidence;
  const engine::Judgement judgement =
      engine::Judge(check, evidence, now, {.against_bar = bar, .in_words = false});
  const auto* ratio = std::get_if<engine::RatioCheck>(&check.kind);
  const auto counts = evidence.ratios.find(check.name);
  const bool is_silent = judgement.unknown_why == engine::UnknownWhy::kNoData;
  // With fixed steps too few are not weighed.
  const bool is_few = judgement.unknown_why == engine::UnknownWhy::kTooFew && bar == 0;
  const bool is_weighed = ratio != nullptr && counts != evidence.ratios.end() && !is_silent &&
                          !is_few && judgement.verdict != engine::Verdict::kFailed;
  if (!is_weighed) return OfVerdict(judgement.verdict);
  return std::min(1.0, NatsOf(counts->second, ratio->limit_ppm / 1e6, bar, now));
}

// With adaptive steps: of the check that is furthest from proving the share.
double ProofOf(const engine::Evidence& evidence) {
  double least = 1;
  for (const auto& [name, ratio] : evidence.ratios) {
    if (ratio.weighed) least = std::min(least, ratio.weighed->evidence.For() / engine::kForNats);
  }
  return std::clamp(least, 0.0, 1.0);
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
    const double against = AgainstOf(check, gate, bar, now);
    if (against > weighing.against) weighing = {.against = against, .check = check.name};
  }
  // At 100 % there is nothing to raise to.
  const bool is_watched = std::holds_alternative<engine::Watching>(restoration.phase);
  if (is_watched) return weighing;
  if (is_adaptive) {
    if (gate.record.share > Share::None()) weighing.in_favour = ProofOf(gate.evidence);
  } else if (gate.clear_since) {
    const double clear = double((now - *gate.clear_since).count());
    weighing.in_favour = std::min(1.0, clear / double(plan.bake_min.count()));
  }
  return weighing;
}

}  // namespace headgate::rehearsal
