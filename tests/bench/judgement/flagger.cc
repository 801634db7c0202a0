#include "tests/bench/judgement/flagger.h"

#include "tests/bench/judgement/ramp.h"
#include "tests/bench/judgement/window.h"

namespace headgate::bench {
namespace {

class Flagger : public Policy {
 public:
  Flagger(const Site& site, const FlaggerSettings& settings)
      : limits_(site.limits), settings_(settings), window_(settings.range_s) {}

  Share Decide(const rehearsal::Seen& seen) override {
    retreated_now_ = false;
    if (seen.at_s == 0) return ramp_.Now();
    window_.Add(seen);
    if (seen.at_s % settings_.interval_s == 0) Advance();
    return is_rolled_back_ ? Share::None() : ramp_.Now();
  }

  bool RetreatedNow() const override { return retreated_now_; }

 private:
  void Advance() {
    if (is_promoted_ || is_rolled_back_) return;
    if (failed_ >= settings_.threshold) {
      is_rolled_back_ = true;
      retreated_now_ = true;
      return;
    }
    if (window_.Ask(limits_) != Answer::kGood) {
      ++failed_;
      return;
    }
    is_promoted_ = ramp_.IsAtTheTop();
    ramp_.Climb();
  }

  const rehearsal::Scenario::Limits limits_;
  const FlaggerSettings settings_;
  Window window_;
  Ramp ramp_;
  int failed_ = 0;
  bool is_promoted_ = false;
  bool is_rolled_back_ = false;
  bool retreated_now_ = false;
};

}  // namespace

std::unique_ptr<Policy> MakeFlagger(const Site& site, const FlaggerSettings& settings) {
  return std::make_unique<Flagger>(site, settings);
}

}  // namespace headgate::bench
