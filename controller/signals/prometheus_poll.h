// One poll of a Prometheus signal: the queries of its spec, all evaluated at the same time, made
// into one reading. Blocking; the thread that owns the fetcher. Promises: always one reading, a
// NoReading with its reason where anything is missing, ambiguous, contradictory or too old.
#pragma once

#include "common/base/clock.h"
#include "controller/signals/http_fetcher.h"
#include "controller/signals/signal.h"

namespace headgate::signals {

// For all queries of one poll together; never more than the signal's `every`.
inline constexpr Duration kPollMax{5'000};
// A count beyond this is nonsense, or about to lose its units' place in a double.
inline constexpr double kCountMax = 1e15;

Reading Poll(const std::string& signal, const PrometheusRatioQuery& query, TimePoint at,
             HttpFetcher& fetcher, const Clock& clock);
Reading Poll(const std::string& signal, const PrometheusValueQuery& query, TimePoint at,
             HttpFetcher& fetcher, const Clock& clock);

}  // namespace headgate::signals
