// What Prometheus answers to an instant query, as one number or a reason why there is none. Pure;
// any thread. Promises: nothing but exactly one finite number passes for one; garbage of any kind,
// partial answers included, is a Status with a reason for people.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "controller/signals/http_fetcher.h"

namespace headgate::signals {

// The controller's clock and Prometheus' own may differ by so much; beyond, windows would be asked
// for that have not been, or are long past.
inline constexpr Duration kClockSkewMax{5'000};

// nullopt: the query gave no series at all.
absl::StatusOr<std::optional<double>> ParseInstantAnswer(const HttpAnswer& answer);

// INVALID_ARGUMENT if the server's clock is further from `now` than kClockSkewMax.
absl::Status CheckClock(const HttpAnswer& answer, TimePoint now);

// The form of a query that is evaluated at `at`.
std::string InstantQueryForm(const std::string& query, TimePoint at);

}  // namespace headgate::signals
