// Decides when those who wait are told something else. Pure: the keeper's thread.
//
// Nothing is foretold that is not likely: without a fresh directive, while it is refused, and while
// the operator's word on the box stands above it, nobody knows. What was told is told anew before
// it runs out, so that it runs out only with the agent.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agents/core/forecast.h"
#include "agents/core/order.h"

namespace headgate::agent {

class Foreteller {
 public:
  static constexpr Duration kLookEvery{1'000};
  static constexpr Duration kRetry{5'000};

  explicit Foreteller(std::string time_zone) : time_zone_(std::move(time_zone)) {}

  // Of an offer that was not refused.
  void Take(const Outlook& outlook) { outlook_ = outlook; }
  // Whoever was told may not know it any more.
  void Forget();
  // What is to be told now, if anything is. `wall`: the wall clock's now.
  std::optional<Forecast> Next(const Standing& standing, TimePoint now, TimePoint wall);
  // True: another failure than the last one, or the first.
  bool OnTold(const absl::Status& status, TimePoint now);

 private:
  const std::string time_zone_;
  Outlook outlook_;
  std::optional<Forecast> told_;
  TimePoint look_not_before_;
  absl::Status status_;
};

}  // namespace headgate::agent
