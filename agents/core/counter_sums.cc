#include "agents/core/counter_sums.h"

namespace headgate::agent {
namespace {

// A counter that went down was cleared by hand (`clear counters all`): it counts from 0 again.
std::uint64_t Grown(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

std::uint64_t At(const std::map<std::uint32_t, std::uint64_t>& counts, std::uint32_t key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

void CounterSummer::Add(const RawCounters& raw) {
  sums_.live = true;
  const bool is_first = !last_.has_value();
  RawCounters before;
  if (is_first) before = raw;
  if (!is_first && last_->instance == raw.instance) before = *last_;
  sums_.admitted += Grown(before.admitted, raw.admitted);
  sums_.http_5xx += Grown(before.http_5xx, raw.http_5xx);
  sums_.connection_errors += Grown(before.connection_errors, raw.connection_errors);
  sums_.refused += Grown(before.refused, raw.refused);
  sums_.bypassed += Grown(before.bypassed, raw.bypassed);
  for (const auto& [threshold, count] : raw.slow) {
    sums_.slow[threshold] += Grown(At(before.slow, threshold), count);
  }
  last_ = raw;
}

}  // namespace headgate::agent
