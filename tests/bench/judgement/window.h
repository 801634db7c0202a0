// The newest seconds of counts, as a peer's query over a range sees them, and what the query
// answers. Values; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "controller/rehearsal/platform.h"
#include "controller/rehearsal/scenario.h"

namespace headgate::bench {

enum class Answer {
  // Both ratios within their limits; exactly at the limit is within.
  kGood,
  kBad,
  // There were no requests: a division by zero.
  kNotANumber,
  // The source does not answer.
  kSilent,
};

class Window {
 public:
  explicit Window(std::size_t seconds) : seconds_(seconds) {}

  void Add(const rehearsal::Seen& seen);
  Answer Ask(const rehearsal::Scenario::Limits& limits) const;

  // 0 while there are no requests.
  double errors() const;
  double slow() const;
  std::int64_t requests() const { return requests_; }
  bool is_silent() const { return is_silent_; }

 private:
  struct Counts {
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    std::int64_t slow = 0;
  };

  const std::size_t seconds_;
  std::deque<Counts> counts_;
  std::int64_t requests_ = 0;
  std::int64_t errors_ = 0;
  std::int64_t slow_ = 0;
  bool is_silent_ = true;
};

}  // namespace headgate::bench
