#include "controller/fleet/counting.h"

#include <fmt/format.h>

#include <algorithm>

namespace headgate::fleet {
namespace {

bool GoesBack(const GateTotals& from, const GateTotals& to) {
  if (to.admitted < from.admitted || to.http_5xx < from.http_5xx || to.refused < from.refused ||
      to.connection_errors < from.connection_errors || to.bypassed < from.bypassed) {
    return true;
  }
  return std::any_of(to.slower_than_ms.begin(), to.slower_than_ms.end(), [&](const auto& slow) {
    const auto before = from.slower_than_ms.find(slow.first);
    return before != from.slower_than_ms.end() && slow.second < before->second;
  });
}

GateTotals Difference(const GateTotals& from, const GateTotals& to) {
  GateTotals delta = to;
  delta.admitted -= from.admitted;
  delta.http_5xx -= from.http_5xx;
  delta.connection_errors -= from.connection_errors;
  delta.refused -= from.refused;
  delta.bypassed -= from.bypassed;
  for (auto& [threshold, count] : delta.slower_than_ms) {
    const auto before = from.slower_than_ms.find(threshold);
    // A threshold that was not counted before begins now.
    count = before == from.slower_than_ms.end() ? 0 : count - before->second;
  }
  return delta;
}

}  // namespace

std::optional<std::string> Counting::WhyImplausible(const Known& known, const GateTotals& totals,
                                                    TimePoint now) {
  if (GoesBack(known.totals, totals)) {
    return fmt::format("gate {}: a total went back within one boot", totals.gate);
  }
  const GateTotals delta = Difference(known.totals, totals);
  if (delta.http_5xx > delta.admitted) {
    return fmt::format("gate {}: {} answers with 5xx of {} requests", totals.gate, delta.http_5xx,
                       delta.admitted);
  }
  // A second is added for pushes that were delayed and arrive together.
  const auto seconds = static_cast<std::uint64_t>((now - known.at).count() / 1000 + 1);
  const std::uint64_t bound = kRequestsPerSecondMax * seconds;
  if (delta.admitted > bound || delta.refused > bound) {
    return fmt::format(
        "gate {}: {} admitted and {} refused requests in {} s, at most {} per second", totals.gate,
        delta.admitted, delta.refused, seconds, kRequestsPerSecondMax);
  }
  return std::nullopt;
}

CountingResult Counting::Add(const CountersPush& push, TimePoint now) {
  CountingResult result;
  if (push.boot_id != boot_id_) {
    result.needs_full_state = !boot_id_.empty();
    boot_id_ = push.boot_id;
    sequence_ = 0;
    known_.clear();
  }
  if (push.sequence <= sequence_) return result;
  if (sequence_ != 0 && push.sequence != sequence_ + 1) result.needs_full_state = true;
  sequence_ = push.sequence;
  for (const GateTotals& totals : push.gates) {
    if (!totals.live) continue;
    const auto found = known_.find(totals.gate);
    if (found == known_.end()) {
      if (known_.size() >= kGatesPerAgentMax) {
        result.implausible.push_back(
            fmt::format("counts of more than {} gates since it started", kGatesPerAgentMax));
        continue;
      }
      // The first word of a boot is where counting begins.
      known_[totals.gate] = {totals, now};
      continue;
    }
    if (auto why = WhyImplausible(found->second, totals, now)) {
      result.implausible.push_back(std::move(*why));
    } else {
      result.deltas.push_back(Difference(found->second.totals, totals));
    }
    // Also after nonsense: what comes next is measured from here.
    found->second = {totals, now};
  }
  return result;
}

}  // namespace headgate::fleet
