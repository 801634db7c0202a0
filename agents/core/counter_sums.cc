#include "agents/core/counter_sums.h"

#include <algorithm>

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

void Debt::Add(std::uint64_t count, TimePoint now) {
  if (count > 0) owed_.push_back({count, now});
}

std::uint64_t Debt::Pay(std::uint64_t count, TimePoint now) {
  while (!owed_.empty()) {
    Owed& oldest = owed_.front();
    if (now - oldest.since < kForgivenAfter) {
      const std::uint64_t paid = std::min(count, oldest.count);
      count -= paid;
      oldest.count -= paid;
      if (oldest.count > 0) break;
    }
    owed_.pop_front();
  }
  return count;
}

void CounterSummer::Add(const RawCounters& raw, TimePoint now) {
  sums_.live = true;
  const bool is_first = !last_.has_value();
  RawCounters before;
  if (is_first) before = raw;
  if (!is_first && last_->instance == raw.instance) {
    before = *last_;
  } else {
    // What another process owes, it counts, if it still does.
    bypassed_.Forgive();
    bypassed_5xx_.Forgive();
  }
  const std::uint64_t bypassed = Grown(before.bypassed, raw.bypassed);
  sums_.bypassed += bypassed;
  bypassed_.Add(bypassed, now);
  bypassed_5xx_.Add(Grown(before.bypassed_5xx, raw.bypassed_5xx), now);
  const std::uint64_t admitted = bypassed_.Pay(Grown(before.answered, raw.answered), now);
  sums_.admitted += admitted;
  // More than there are requests are those of bypassed ones that the load balancer answered itself
  // (it cannot tell them apart then): nobody's, and never charged to those who come later.
  const std::uint64_t http_5xx = bypassed_5xx_.Pay(Grown(before.http_5xx, raw.http_5xx), now);
  sums_.http_5xx += std::min(admitted, http_5xx);
  sums_.connection_errors += Grown(before.connection_errors, raw.connection_errors);
  sums_.refused += Grown(before.refused, raw.refused);
  sums_.new_cookies_refused += Grown(before.new_cookies_refused, raw.new_cookies_refused);
  sums_.slow.clear();
  for (const auto& [threshold, count] : raw.slow) {
    // One that begins to be counted within a process begins at its first count.
    const bool is_new = before.instance == raw.instance && !before.slow.contains(threshold);
    slow_[threshold] += is_new ? 0 : Grown(At(before.slow, threshold), count);
    sums_.slow[threshold] = slow_[threshold];
  }
  last_ = raw;
}

}  // namespace headgate::agent
