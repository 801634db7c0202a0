#include "tests/support/loadgen/user.h"

#include <algorithm>
#include <string_view>

namespace headgate::loadgen {
namespace {

Millis Scaled(Millis base, double factor) {
  return Millis(static_cast<std::int64_t>(static_cast<double>(base.count()) * factor));
}

double Between(double low, double high, std::mt19937& random) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

Millis Exponential(Millis mean, std::mt19937& random) {
  const double factor = std::exponential_distribution<double>(1.0)(random);
  // Cut where one in 3,000 lies: a customer who stays away for ever is nobody's customer.
  return Scaled(mean, std::min(factor, 8.0));
}

}  // namespace

Answer User::Classify(const support::Response& response) {
  if (response.status < 500) return Answer::kPage;
  const bool is_the_gates = response.status == 503 &&
                            support::FindHeader(response.headers, "Retry-After").has_value() &&
                            support::FindHeader(response.headers, "Cache-Control") == "no-store";
  return is_the_gates ? Answer::kRefused : Answer::kError;
}

std::optional<TakenOut> User::Take(const support::Response& response, Visit visit) {
  std::optional<TakenOut> taken_out;
  if (Classify(response) == Answer::kRefused) {
    // Without a cookie nobody was promised anything: such a request is refused once below 100 %.
    if (admitted_sent_ms_.has_value() && !cookie_.empty()) {
      taken_out = TakenOut{.cookie = cookie_,
                           .admitted_sent_ms = *admitted_sent_ms_,
                           .refused_sent_ms = visit.sent_ms,
                           .refused_ms = visit.answered_ms};
    }
    admitted_sent_ms_.reset();
  } else {
    admitted_sent_ms_ = visit.sent_ms;
    has_been_admitted_ = true;
  }
  if (const auto issued = support::FindHeader(response.headers, "Set-Cookie")) {
    cookie_ = std::string(issued->substr(0, issued->find(';')));
  }
  return taken_out;
}

Millis User::NextVisit(Answer answer, std::optional<int> retry_after_s, const Habits& habits,
                       std::mt19937& random) {
  if (answer == Answer::kPage) {
    bad_in_a_row_ = 0;
    return Exponential(habits.think, random);
  }
  if (++bad_in_a_row_ >= habits.tries) {
    bad_in_a_row_ = 0;
    return Exponential(2 * habits.think, random);
  }
  if (answer == Answer::kRefused && retry_after_s.has_value()) {
    return Scaled(std::chrono::seconds(*retry_after_s),
                  habits.time_scale * Between(1.0, 1.5, random));
  }
  return Scaled(habits.reload, Between(0.5, 1.5, random));
}

}  // namespace headgate::loadgen
