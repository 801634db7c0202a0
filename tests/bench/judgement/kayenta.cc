#include "tests/bench/judgement/kayenta.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "controller/rehearsal/draw.h"
#include "tests/bench/judgement/mann_whitney.h"
#include "tests/bench/judgement/ramp.h"
#include "tests/bench/judgement/window.h"

namespace headgate::bench {
namespace {

using rehearsal::Draw;
using rehearsal::Purpose;

constexpr double kFraction = 0.25;
// Of the normal distribution at 99 %: both ends of a 98 % interval.
constexpr double kQuantile = 2.3263478740408408;
// Of the baseline, which is the same in all runs.
constexpr std::uint64_t kBaselineSeed = 20'170'411;

struct Samples {
  std::vector<double> control;
  std::vector<double> experiment;
};

class Kayenta : public Policy {
 public:
  explicit Kayenta(const Site& site) : limits_(site.limits), minute_(kKayentaSample_s) {}

  Share Decide(const rehearsal::Seen& seen) override {
    retreated_now_ = false;
    if (seen.at_s == 0 || is_over_) return Now();
    minute_.Add(seen);
    if (seen.at_s % kKayentaSample_s == 0) Sample(seen.at_s);
    if (seen.at_s % kKayentaStep_s == 0) Judge();
    return Now();
  }

  bool RetreatedNow() const override { return retreated_now_; }

 private:
  Share Now() const { return is_rolled_back_ ? Share::None() : ramp_.Now(); }

  void Sample(std::int64_t at_s) {
    if (minute_.requests() == 0) return;
    errors_.experiment.push_back(minute_.errors());
    errors_.control.push_back(Baseline(Purpose::kErrors, at_s, limits_.errors));
    slow_.experiment.push_back(minute_.slow());
    slow_.control.push_back(Baseline(Purpose::kSlow, at_s, limits_.slow));
  }

  double Baseline(Purpose purpose, std::int64_t at_s, double ratio) const {
    Draw draw(kBaselineSeed, purpose, static_cast<std::uint64_t>(at_s));
    return double(draw.Binomial(minute_.requests(), ratio)) / double(minute_.requests());
  }

  void Judge() {
    const Classification errors = Classify(errors_.control, errors_.experiment);
    const Classification slow = Classify(slow_.control, slow_.experiment);
    errors_ = {};
    slow_ = {};
    const bool has_passed = (errors == Classification::kPass || slow == Classification::kPass) &&
                            errors != Classification::kHigh && slow != Classification::kHigh;
    if (has_passed) {
      ramp_.Climb();
      is_over_ = ramp_.IsAtTheTop();
      return;
    }
    is_over_ = true;
    is_rolled_back_ = true;
    retreated_now_ = true;
  }

  const rehearsal::Scenario::Limits limits_;
  Window minute_;
  Ramp ramp_;
  Samples errors_;
  Samples slow_;
  bool is_over_ = false;
  bool is_rolled_back_ = false;
  bool retreated_now_ = false;
};

}  // namespace

Classification Classify(std::span<const double> control, std::span<const double> experiment) {
  if (control.empty() || experiment.empty()) return Classification::kNoData;
  if (std::ranges::equal(control, experiment)) return Classification::kPass;
  const std::optional<Shift> shift = ShiftBetween(control, experiment, kQuantile);
  const bool is_high = shift && shift->low > kFraction * std::abs(shift->estimate);
  return is_high ? Classification::kHigh : Classification::kPass;
}

std::unique_ptr<Policy> MakeKayenta(const Site& site) { return std::make_unique<Kayenta>(site); }

}  // namespace headgate::bench
