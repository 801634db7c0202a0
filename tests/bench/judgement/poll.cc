#include "tests/bench/judgement/poll.h"

#include "tests/bench/judgement/ramp.h"
#include "tests/bench/judgement/window.h"

namespace headgate::bench {
namespace {

class Poll : public Policy {
 public:
  explicit Poll(const Site& site) : limits_(site.limits), window_(kPollRange_s) {}

  Share Decide(const rehearsal::Seen& seen) override {
    retreated_now_ = false;
    if (seen.at_s == 0) return ramp_.Now();
    window_.Add(seen);
    if (!is_out_ && seen.at_s % kPollEvery_s == 0) Look();
    if (seen.at_s % kPollStep_s == 0) ramp_.Climb();
    return is_out_ ? Share::None() : ramp_.Now();
  }

  bool RetreatedNow() const override { return retreated_now_; }

 private:
  void Look() {
    strikes_ = window_.Ask(limits_) == Answer::kBad ? strikes_ + 1 : 0;
    if (strikes_ < kPollStrikesMax) return;
    is_out_ = true;
    retreated_now_ = true;
  }

  const rehearsal::Scenario::Limits limits_;
  Window window_;
  Ramp ramp_;
  int strikes_ = 0;
  bool is_out_ = false;
  bool retreated_now_ = false;
};

}  // namespace

std::unique_ptr<Policy> MakePoll(const Site& site) { return std::make_unique<Poll>(site); }

}  // namespace headgate::bench
