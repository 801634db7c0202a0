#include "controller/engine/outlook.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "controller/engine/engine.h"
#include "controller/engine/explain.h"
#include "controller/engine/situation.h"

namespace headgate::engine {
namespace {

// From a new share until its checks can be clear: agents put it in force, and users come.
constexpr Duration kUntilClear{2'000};
// A step whose checks are not clear for so much longer than it should take is no matter of time.
constexpr Duration kUnclearMax{30'000};
// What lies further ahead is a guess.
constexpr Duration kAheadMax = std::chrono::hours(12);
// Of adaptive steps; what is left then is one band.
constexpr std::size_t kStepsMax = 256;

// The shares that follow, in their order.
std::vector<Share> SharesToCome(const Gate& gate, TimePoint now) {
  const Restoration& restoration = *gate.record.restoration;
  std::vector<Share> shares;
  Share share = gate.record.share;
  if (!IsAdaptive(restoration)) {
    while (share < Share::All()) {
      share = NextStep(restoration, share);
      shares.push_back(share);
    }
    return shares;
  }
  const Share next = CourseOf(gate, now).to;
  if (next <= share) return {};
  const std::uint32_t stride = next.ppm() - share.ppm();
  for (std::uint64_t ppm = next.ppm(); ppm < Share::kPpmMax && shares.size() < kStepsMax;) {
    shares.push_back(AtMostAll(ppm));
    ppm += stride;
  }
  shares.push_back(Share::All());
  return shares;
}

bool IsMoving(const State& state, const Gate& gate, TimePoint now) {
  const Restoration& restoration = *gate.record.restoration;
  const bool may_raise = state.leads && state.journal_trouble.empty() && !gate.record.no_raise;
  if (!may_raise || gate.is_overdue) return false;
  if (!std::holds_alternative<Admitting>(restoration.phase)) return false;
  const Situation situation = Assess(state, gate, now);
  if (situation.failed) return false;
  const Duration late = now - gate.share_changed - restoration.plan.spec().bake_min;
  return situation.is_clear || late <= kUnclearMax;
}

// Whether going from `from` to `to` takes more than time.
bool IsBarred(const Restoration& restoration, Share from, Share to) {
  const auto has_failed = [&](Share failed) { return failed > Share::None() && to >= failed; };
  return ApprovalBefore(restoration, from, to).has_value() || has_failed(restoration.failed) ||
         has_failed(restoration.search.failed_by_load);
}

}  // namespace

Outlook OutlookOf(const State& state, const Gate& gate, TimePoint now) {
  const GateRecord& record = gate.record;
  if (!IsRestoring(record) || record.open_until) return {};
  const Restoration& restoration = *record.restoration;
  const Duration bake = restoration.plan.spec().bake_min;
  // The steps to come take as long as this one, if that takes longer than they must.
  const Duration pace = std::max(bake + kUntilClear, now - gate.share_changed);
  bool is_known = IsMoving(state, gate, now);
  TimePoint at = std::max({now, gate.share_changed + pace, gate.clear_since.value_or(now) + bake});
  Outlook outlook;
  for (const Share share : SharesToCome(gate, now)) {
    is_known = is_known && at - now <= kAheadMax && !IsBarred(restoration, record.share, share);
    outlook.returns.push_back({share, is_known ? std::optional(at) : std::nullopt});
    at += pace;
  }
  return Thinned(std::move(outlook));
}

}  // namespace headgate::engine
