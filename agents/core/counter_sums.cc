#include "agents/core/counter_sums.h"

#include <algorithm>

namespace headgate::agent {
namespace {

// Takes as much of `due` out of `count` as there is.
std::uint64_t Less(std::uint64_t count, std::uint64_t& due) {
  const std::uint64_t taken = std::min(count, due);
  due -= taken;
  return count - taken;
}

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
  const std::uint64_t bypassed = Grown(before.bypassed, raw.bypassed);
  sums_.bypassed += bypassed;
  bypassed_due_ += bypassed;
  bypassed_5xx_due_ += Grown(before.bypassed_5xx, raw.bypassed_5xx);
  const std::uint64_t admitted = Less(Grown(before.answered, raw.answered), bypassed_due_);
  sums_.admitted += admitted;
  http_5xx_due_ += Less(Grown(before.http_5xx, raw.http_5xx), bypassed_5xx_due_);
  const std::uint64_t http_5xx = std::min(admitted, http_5xx_due_);
  http_5xx_due_ -= http_5xx;
  sums_.http_5xx += http_5xx;
  sums_.connection_errors += Grown(before.connection_errors, raw.connection_errors);
  sums_.refused += Grown(before.refused, raw.refused);
  for (const auto& [threshold, count] : raw.slow) {
    sums_.slow[threshold] += Grown(At(before.slow, threshold), count);
  }
  last_ = raw;
}

}  // namespace headgate::agent
