// One customer: a cookie jar, patience, and the memory of having been let in. Pure: time and chance
// are given. What people do, in short: who gets a page reads it and comes back; who is told to wait
// comes back when told, give or take; who sees an error presses reload; who has tried often enough
// goes away for a while.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "tests/support/net/http_message.h"

namespace headgate::loadgen {

using Millis = std::chrono::milliseconds;

struct Habits {
  // Mean time between two pages of one customer; exponential.
  Millis think{33'000};
  // Retry-After is multiplied by this, then by 1.0 to 1.5.
  double time_scale = 1.0;
  // Where an answer has no Retry-After, and after an error; 0.5 to 1.5 of it.
  Millis reload{4'000};
  // After so many bad answers in a row, away for twice the think time.
  int tries = 4;
};

enum class Answer { kPage, kError, kRefused };

// A refusal of somebody who had been admitted: whether that was rightful is judged by those who
// know when the share was lowered. See tests/support/lab/stickiness.py for the rule.
struct TakenOut {
  std::string cookie;
  std::int64_t admitted_sent_ms = 0;
  std::int64_t refused_sent_ms = 0;
  std::int64_t refused_ms = 0;
};

class User {
 public:
  struct Visit {
    std::int64_t sent_ms = 0;
    std::int64_t answered_ms = 0;
  };

  // The jar's content as a Cookie header's value; empty without one.
  const std::string& cookie() const { return cookie_; }
  bool is_admitted() const { return admitted_sent_ms_.has_value(); }
  bool has_been_admitted() const { return has_been_admitted_; }

  // What the answer is to this customer: the gate's refusal (a 503 with Retry-After and
  // `Cache-Control: no-store`, which neither the shop's nor the load balancer's own 503 have), an
  // admitted page, or an admitted request that went wrong (any other status of 500 or more).
  static Answer Classify(const support::Response& response);

  // Takes an answer and keeps its cookie. An admitted customer who is refused is told of once.
  std::optional<TakenOut> Take(const support::Response& response, Visit visit);

  // How long until the next visit after that answer.
  Millis NextVisit(Answer answer, std::optional<int> retry_after_s, const Habits& habits,
                   std::mt19937& random);

 private:
  std::string cookie_;
  // When the newest admitted request was sent, since the last refusal.
  std::optional<std::int64_t> admitted_sent_ms_;
  bool has_been_admitted_ = false;
  int bad_in_a_row_ = 0;
};

}  // namespace headgate::loadgen
