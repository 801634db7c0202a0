#include "tests/bench/judgement/argo.h"

#include "tests/bench/judgement/ramp.h"
#include "tests/bench/judgement/window.h"

namespace headgate::bench {
namespace {

class Argo : public Policy {
 public:
  Argo(const Site& site, const ArgoSettings& settings)
      : limits_(site.limits),
        settings_(settings),
        window_(settings.range_s),
        // The first measurement is at once, of nothing yet: a success.
        measure_at_s_(settings.interval_s) {}

  Share Decide(const rehearsal::Seen& seen) override {
    retreated_now_ = false;
    if (seen.at_s == 0) return ramp_.Now();
    window_.Add(seen);
    if (!is_over_ && seen.at_s >= measure_at_s_) Measure(seen.at_s);
    if (!is_over_ && seen.at_s % settings_.pause_s == 0) {
      // The last step is a pause as well; after it the rollout is complete.
      is_over_ = ramp_.IsAtTheTop();
      ramp_.Climb();
    }
    return is_aborted_ ? Share::None() : ramp_.Now();
  }

  bool RetreatedNow() const override { return retreated_now_; }

 private:
  void Measure(std::int64_t now_s) {
    const Answer answer = window_.Ask(limits_);
    const bool is_error = answer == Answer::kSilent;
    failed_ += answer == Answer::kBad ? 1 : 0;
    errors_in_a_row_ = is_error ? errors_in_a_row_ + 1 : 0;
    measure_at_s_ = now_s + (is_error ? settings_.error_retry_s : settings_.interval_s);
    if (failed_ > settings_.failure_limit || errors_in_a_row_ > settings_.consecutive_error_limit) {
      is_over_ = true;
      is_aborted_ = true;
      retreated_now_ = true;
    }
  }

  const rehearsal::Scenario::Limits limits_;
  const ArgoSettings settings_;
  Window window_;
  Ramp ramp_;
  std::int64_t measure_at_s_;
  std::int64_t failed_ = 0;
  std::int64_t errors_in_a_row_ = 0;
  bool is_over_ = false;
  bool is_aborted_ = false;
  bool retreated_now_ = false;
};

}  // namespace

std::unique_ptr<Policy> MakeArgo(const Site& site, const ArgoSettings& settings) {
  return std::make_unique<Argo>(site, settings);
}

}  // namespace headgate::bench
