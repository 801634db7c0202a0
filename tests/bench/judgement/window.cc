#include "tests/bench/judgement/window.h"

namespace headgate::bench {

void Window::Add(const rehearsal::Seen& seen) {
  is_silent_ = !seen.has_data;
  counts_.push_back({.requests = seen.requests, .errors = seen.errors, .slow = seen.slow});
  requests_ += seen.requests;
  errors_ += seen.errors;
  slow_ += seen.slow;
  if (counts_.size() <= seconds_) return;
  const Counts oldest = counts_.front();
  counts_.pop_front();
  requests_ -= oldest.requests;
  errors_ -= oldest.errors;
  slow_ -= oldest.slow;
}

Answer Window::Ask(const rehearsal::Scenario::Limits& limits) const {
  if (is_silent_) return Answer::kSilent;
  if (requests_ == 0) return Answer::kNotANumber;
  return errors() > limits.errors || slow() > limits.slow ? Answer::kBad : Answer::kGood;
}

double Window::errors() const { return requests_ > 0 ? double(errors_) / double(requests_) : 0; }

double Window::slow() const { return requests_ > 0 ? double(slow_) / double(requests_) : 0; }

}  // namespace headgate::bench
