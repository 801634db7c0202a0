// Seconds for a policy under test, without a platform behind them.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>

#include "tests/bench/judgement/policy.h"

namespace headgate::bench {

inline constexpr Site kTestSite = {.limits = {.errors = 0.01, .slow = 0.01}, .rps = 2'000};

class Feed {
 public:
  explicit Feed(std::unique_ptr<Policy> policy)
      : policy_(std::move(policy)), share_(policy_->Decide({})) {}

  // Until `at_s`: 1,000 requests a second with this part of errors.
  void Errors(double ratio, std::int64_t at_s) {
    Until(at_s, {.has_data = true, .requests = 1'000, .errors = std::llround(1'000 * ratio)});
  }
  void Slow(double ratio, std::int64_t at_s) {
    Until(at_s, {.has_data = true, .requests = 1'000, .slow = std::llround(1'000 * ratio)});
  }
  void Nobody(std::int64_t at_s) { Until(at_s, {.has_data = true}); }
  void Silence(std::int64_t at_s) { Until(at_s, {}); }

  // In percent, as commanded at the end of the last second.
  double share() const { return double(share_.ppm()) / 10'000; }
  std::optional<std::int64_t> retreated_at_s() const { return retreated_at_s_; }
  int retreats() const { return retreats_; }

 private:
  void Until(std::int64_t at_s, rehearsal::Seen seen) {
    while (now_s_ < at_s) {
      seen.at_s = ++now_s_;
      share_ = policy_->Decide(seen);
      if (!policy_->RetreatedNow()) continue;
      ++retreats_;
      retreated_at_s_ = now_s_;
    }
  }

  const std::unique_ptr<Policy> policy_;
  std::int64_t now_s_ = 0;
  Share share_;
  std::optional<std::int64_t> retreated_at_s_;
  int retreats_ = 0;
};

}  // namespace headgate::bench
