#include "tests/bench/judgement/aimd.h"

#include <algorithm>

#include "tests/bench/judgement/window.h"

namespace headgate::bench {
namespace {

class Aimd : public Policy {
 public:
  explicit Aimd(const Site& site) : limits_(site.limits), window_(kAimdEvery_s) {}

  Share Decide(const rehearsal::Seen& seen) override {
    retreated_now_ = false;
    if (seen.at_s > 0) window_.Add(seen);
    if (seen.at_s > 0 && seen.at_s % kAimdEvery_s == 0) Move();
    return Share::FromPpm(ppm_).value();
  }

  bool RetreatedNow() const override { return retreated_now_; }

 private:
  void Move() {
    const Answer answer = window_.Ask(limits_);
    if (answer == Answer::kBad) {
      retreated_now_ = true;
      ppm_ = std::max(ppm_ / 2, kAimdLeastPpm);
    } else if (answer != Answer::kSilent) {
      ppm_ = std::min(ppm_ + kAimdStepPpm, Share::kPpmMax);
    }
  }

  const rehearsal::Scenario::Limits limits_;
  Window window_;
  std::uint32_t ppm_ = kAimdLeastPpm;
  bool retreated_now_ = false;
};

}  // namespace

std::unique_ptr<Policy> MakeAimd(const Site& site) { return std::make_unique<Aimd>(site); }

}  // namespace headgate::bench
